"""The standard library's clients of mail and files wait for a greeting when they are made."""

import ftplib
import imaplib
import poplib
import smtplib

CALLS = {
    "smtplib.SMTP": lambda at: smtplib.SMTP(at.host, at.port, timeout=3),
    "smtplib.SMTP.connect": lambda at: smtplib.SMTP(timeout=3).connect(at.host, at.port),
    "smtplib.SMTP_SSL": lambda at: smtplib.SMTP_SSL(at.host, at.port, timeout=3),
    "smtplib.LMTP": lambda at: smtplib.LMTP(at.host, at.port),
    "imaplib.IMAP4": lambda at: imaplib.IMAP4(at.host, at.port, timeout=3),
    "poplib.POP3": lambda at: poplib.POP3(at.host, at.port, timeout=3),
    "ftplib.FTP.connect": lambda at: ftplib.FTP(timeout=3).connect(at.host, at.port),
}
