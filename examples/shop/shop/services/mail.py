"""Mail leaves the shop through an HTTP interface."""

import httpx


async def send(recipient: str, subject: str, attachment: bytes) -> None:
    async with httpx.AsyncClient() as client:
        await client.post(
            "https://mail.example.com/messages",
            data={"to": recipient, "subject": subject},
            files={"attachment": attachment},
        )
