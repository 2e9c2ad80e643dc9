"""Every name in the catalogue exists in the library it is about, and means what the entry says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from itertools import filterfalse
from pathlib import Path

import pytest

from knowledge import stubs, witness
from loopsafe.fixes.data import table
from loopsafe.knowledge.entries import Header
from loopsafe.knowledge.loader import LibraryEntries, read_header, read_library
from loopsafe.knowledge.schema import Blocking, ClassKnowledge, Condition, Result, Runner

FOLDER = Path(read_header.__code__.co_filename).parent
APPLICATIONS = Path(__file__).parent / "knowledge" / "frameworks"
FILES = sorted(path.name for path in FOLDER.glob("*.toml"))

# Too many and too large for every test run: checked where they are installed or have a stub.
# tests/knowledge/requirements.txt and libraries.txt have all the others.
ON_DEMAND = frozenset(
    [
        "ably",
        "acouchbase",
        "adb_shell",
        "aerospike",
        "agentops",
        "agno",
        "ai21",
        "aiofiles",
        "aiogram",
        "aionefit",
        "airflow_client",
        "aleph_alpha_client",
        "algoliasearch",
        "alpaca",
        "analytics",
        "androidtv",
        "annoy",
        "apify_client",
        "apprise",
        "appwrite",
        "apsw",
        "argon2",
        "arxiv",
        "asana",
        "assemblyai",
        "astrapy",
        "asyncmy",
        "atlassian",
        "atproto",
        "atproto_client",
        "autogen",
        "av",
        "aws_xray_sdk",
        "azure.ai.agents",
        "azure.ai.ml",
        "azure.batch",
        "azure.datalake",
        "azure.devops",
        "azure.kusto.ingest",
        "azure.mgmt",
        "b2sdk",
        "backoff",
        "baostock",
        "bertopic",
        "binance",
        "Bio",
        "box_sdk_gen",
        "boxsdk",
        "braintree",
        "braintrust",
        "brevo",
        "broadlink",
        "camel",
        "camelot",
        "can",
        "cartesia",
        "casbin",
        "ccxt",
        "cerebras",
        "chainlit",
        "chargebee",
        "chromadb",
        "clearml",
        "clerk_backend_api",
        "cloudflare",
        "cloudinary",
        "cloudscraper",
        "cohere",
        "comet_ml",
        "composio",
        "configcatclient",
        "confluent_kafka",
        "contentful",
        "controlflow",
        "convex",
        "couchbase",
        "Crypto",
        "cryptography",
        "ctransformers",
        "curl_cffi",
        "customerio",
        "cv2",
        "databricks.sdk",
        "datadog",
        "datadog_api_client",
        "dateparser",
        "dbus",
        "ddgs",
        "deepeval",
        "deepl",
        "deltalake",
        "descope",
        "diffusers",
        "digitalocean",
        "discord_webhook",
        "diskcache",
        "disnake",
        "dlt",
        "dns",
        "docling",
        "docusign_esign",
        "docx",
        "docxtpl",
        "DrissionPage",
        "dropbox",
        "duckdb",
        "duckduckgo_search",
        "dulwich",
        "dvc",
        "elevenlabs",
        "email_validator",
        "embedchain",
        "evaluate",
        "exa_py",
        "exchangelib",
        "exponent_server_sdk",
        "fabric",
        "faiss",
        "fastembed",
        "fasteners",
        "favicon",
        "feedparser",
        "ffmpeg",
        "filelock",
        "finnhub",
        "fiona",
        "firebase_admin",
        "firecrawl",
        "fireworks",
        "fitz",
        "FlagEmbedding",
        "flagsmith",
        "flair",
        "fpdf",
        "fritzconnection",
        "ftputil",
        "gdown",
        "gensim",
        "geoip2",
        "geopy",
        "git",
        "github",
        "gitlab",
        "google",
        "google_auth_oauthlib",
        "googleapiclient",
        "googlemaps",
        "googlesearch",
        "gpt4all",
        "GPUtil",
        "gql",
        "grequests",
        "groq",
        "growthbook",
        "gspread",
        "gtts",
        "guardrails",
        "haystack",
        "hcloud",
        "herepy",
        "heroku3",
        "homeassistant",
        "httplib2",
        "hubspot",
        "huggingface_hub",
        "humanloop",
        "hume",
        "hyperbrowser",
        "ibm_db",
        "ibm_db_dbi",
        "ibm_watsonx_ai",
        "icmplib",
        "imageio",
        "imapclient",
        "intercom",
        "invoke",
        "ipinfo",
        "jira",
        "joblib",
        "jupyter_client",
        "jupyter_server",
        "jwt",
        "kaggle",
        "kagiapi",
        "kazoo",
        "keybert",
        "keycloak",
        "kiteconnect",
        "kokoro",
        "kuzu",
        "lancedb",
        "langchain",
        "langchain_anthropic",
        "langchain_aws",
        "langchain_chroma",
        "langchain_classic",
        "langchain_cohere",
        "langchain_community",
        "langchain_core",
        "langchain_google_genai",
        "langchain_google_vertexai",
        "langchain_groq",
        "langchain_huggingface",
        "langchain_milvus",
        "langchain_mistralai",
        "langchain_neo4j",
        "langchain_ollama",
        "langchain_pinecone",
        "langchain_postgres",
        "langchain_qdrant",
        "langfuse",
        "langgraph",
        "langsmith",
        "lark_oapi",
        "ldap3",
        "ldclient",
        "letta_client",
        "libcloud",
        "librosa",
        "librouteros",
        "lightgbm",
        "linebot",
        "linkpreview",
        "linkup",
        "linode_api4",
        "litellm",
        "llama_api_client",
        "llama_cloud",
        "llama_cloud_services",
        "llama_cpp",
        "llama_index",
        "llama_parse",
        "lmstudio",
        "looker_sdk",
        "lumaai",
        "lxml",
        "lyricsgenius",
        "magika",
        "mailchimp_marketing",
        "mailchimp_transactional",
        "mailgun",
        "mailjet_rest",
        "mapbox",
        "marqo",
        "marvin",
        "mastodon",
        "matplotlib",
        "mautrix",
        "maxminddb",
        "mechanicalsoup",
        "messagebird",
        "meteostat",
        "miio",
        "mistralai",
        "mixpanel",
        "mlflow",
        "mlx_lm",
        "mlx_vlm",
        "modal",
        "modelscope",
        "mollie",
        "moviepy",
        "msal",
        "mysql",
        "nemoguardrails",
        "netmiko",
        "newsapi",
        "newspaper",
        "nonebot",
        "notebook",
        "notion_client",
        "ntplib",
        "numpy",
        "O365",
        "oci",
        "office365",
        "ollama",
        "onelogin",
        "onesignal",
        "onesignal_sdk",
        "onnxruntime",
        "openpyxl",
        "openrouteservice",
        "openstack",
        "oracledb",
        "oss2",
        "outlines",
        "paddleocr",
        "pandas",
        "paramiko",
        "paypalrestsdk",
        "pdf2image",
        "pdfkit",
        "pdfplumber",
        "perplexity",
        "pexpect",
        "phi",
        "pikepdf",
        "PIL",
        "pinecone",
        "ping3",
        "plaid",
        "playwright",
        "plexapi",
        "plivo",
        "plumbum",
        "plyvel",
        "pocketbase",
        "polars",
        "portalocker",
        "portkey_ai",
        "postgrest",
        "posthog",
        "postmarker",
        "pptx",
        "praw",
        "primp",
        "prometheus_client",
        "promptlayer",
        "prophet",
        "psutil",
        "pulsar",
        "pusher",
        "pwdlib",
        "py7zr",
        "pyaarlo",
        "pyactiveresource",
        "pyairtable",
        "pyarrow",
        "pychromecast",
        "pydo",
        "pydrive2",
        "pydub",
        "pyezviz",
        "pyfcm",
        "pyfritzhome",
        "pygit2",
        "pyicloud",
        "pylast",
        "pylibmc",
        "pymodbus",
        "pymssql",
        "pymupdf",
        "pyodbc",
        "pyowm",
        "pypandoc",
        "pypdf",
        "PyPDF2",
        "pyrebase",
        "pysnmp",
        "pyspark",
        "pystac",
        "pystac_client",
        "pytesseract",
        "python_on_whales",
        "pytrends",
        "pyttsx3",
        "pytube",
        "pyvera",
        "PyViCare",
        "pywebpush",
        "pywemo",
        "qbittorrentapi",
        "qcloud_cos",
        "qianfan",
        "questionary",
        "ragas",
        "rasterio",
        "ratelimit",
        "ray",
        "razorpay",
        "recurly",
        "redbot",
        "redmail",
        "replicate",
        "requests_cache",
        "requests_futures",
        "requests_html",
        "requests_toolbelt",
        "resend",
        "retrying",
        "revChatGPT",
        "runwayml",
        "rxv",
        "sagemaker",
        "sambanova",
        "samsungtvws",
        "scapy",
        "scp",
        "scraperapi_sdk",
        "scrapingbee",
        "segment",
        "selenium",
        "sendgrid",
        "sentence_transformers",
        "sentry_sdk",
        "serial",
        "serpapi",
        "sgqlc",
        "sh",
        "shodan",
        "shopify",
        "sib_api_v3_sdk",
        "signalrcore",
        "simple_salesforce",
        "sklearn",
        "slack_bolt",
        "slack_sdk",
        "smbclient",
        "snowflake",
        "soco",
        "sounddevice",
        "soundfile",
        "spacy",
        "sparkpost",
        "speech_recognition",
        "speedtest",
        "spotipy",
        "square",
        "sshtunnel",
        "stanza",
        "statsig",
        "steel",
        "storage3",
        "stripe",
        "stytch",
        "suds",
        "supabase",
        "supabase_auth",
        "supabase_functions",
        "surrealdb",
        "tableauserverclient",
        "tantivy",
        "tavily",
        "telebot",
        "telnyx",
        "teradatasql",
        "tf_keras",
        "thrift",
        "tiktoken",
        "tinydb",
        "tinytuya",
        "tls_client",
        "tmdbv3api",
        "todoist_api_python",
        "together",
        "torch",
        "trafilatura",
        "transformers",
        "transmission_rpc",
        "trello",
        "tritonclient",
        "tronpy",
        "tweepy",
        "twilio",
        "txtai",
        "umap",
        "undetected_chromedriver",
        "unstructured_client",
        "usearch",
        "uvloop",
        "valyu",
        "vertexai",
        "vespa",
        "vllm",
        "vonage_http_client",
        "voyageai",
        "wandb",
        "weasyprint",
        "weave",
        "webdav3",
        "websocket",
        "whisper",
        "whois",
        "wikipedia",
        "wikipediaapi",
        "winrm",
        "woocommerce",
        "workos",
        "writerai",
        "xai_sdk",
        "xgboost",
        "xlsxwriter",
        "yagmail",
        "yeelight",
        "yfinance",
        "youtube_dl",
        "youtube_transcript_api",
        "yt_dlp",
        "ytmusicapi",
        "zai",
        "zeep",
        "zep_cloud",
        "zeroconf",
        "zyte_api",
    ]
)


@cache
def header(file: str) -> Header:
    whole = read_header(file, (FOLDER / file).read_text("utf-8"))
    return replace(
        whole,
        harmless=frozenset(filter(checkable, whole.harmless)),
        asynchronous=tuple(filter(checkable, whole.asynchronous)),
        serves=tuple(filter(checkable, whole.serves)),
        ends=tuple(filter(checkable, whole.ends)),
    )


@cache
def library(file: str) -> LibraryEntries:
    """What a file says of libraries that can be looked at here."""
    text = (FOLDER / file).read_text("utf-8")
    whole = read_library(read_header(file, text), text)
    return LibraryEntries(
        [entry for entry in whole.functions if checkable(entry[0].spellings[0])],
        [entry for entry in whole.decorators if checkable(entry[0].spellings[0])],
        [entry for entry in whole.runners if checkable(entry[0].spellings[0])],
        [entry for entry in whole.classes if checkable(entry.names.spellings[0])],
        {name: result for name, result in whole.returns.items() if checkable(name)},
        {name: outcomes for name, outcomes in whole.outcomes.items() if checkable(name)},
    )


def checkable(name: str) -> bool:
    return not may_be_missing(name) or witness.known(name)


def may_be_missing(name: str) -> bool:
    """Whether the library is one of the large ones, or none of the small ones is unpacked here."""
    ends = [at for at, letter in enumerate(name) if letter == "."]
    homes = [name, *(name[:end] for end in ends)]
    return not ON_DEMAND.isdisjoint(homes) or not stubs.UNPACKED.is_dir()


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    if missing := sorted(filterfalse(may_be_missing, _unknown([name]))):
        pytest.skip(f"{', '.join(missing)} must be installed, as one test says by failing")
    return name


def test_every_library_can_be_looked_at() -> None:
    unknown = _unknown(FILES)
    missing = sorted(filterfalse(may_be_missing, unknown))
    assert not missing, f"in neither of tests/knowledge/*.txt: {', '.join(missing)}"
    if unknown:
        pytest.skip(f"not installed, so not checked: {', '.join(sorted(unknown))}")


def _unknown(files: Iterable[str]) -> set[str]:
    imports = {
        home
        for file in files
        for home in read_header(file, (FOLDER / file).read_text("utf-8")).imports
    }
    return {home for home in imports if not witness.known(home)}


def report(lines: Iterable[str]) -> str:
    return "\n".join(["", *sorted(lines)])


def test_names_exist(file: str) -> None:
    head = header(file)
    names = {*_callables(file), *head.harmless, *head.asynchronous, *head.serves, *head.ends}
    names.update(_returned(file))
    missing = [name for name in names - _gone(file) if not witness.exists(name)]
    assert not missing, report(missing)


def _gone(file: str) -> set[str]:
    """Functions of earlier releases: the library that is there has nothing to say of them."""
    return {
        name
        for names, blocking in library(file).functions
        if witness.gone(header(file).distribution, blocking.until)
        for name in names.all
    }


def _callables(file: str) -> Iterator[str]:
    entries = library(file)
    for names, _ in (*entries.functions, *entries.decorators, *entries.runners):
        yield from names.all
    for entry in entries.classes:
        yield from entry.names.all


def _returned(file: str) -> Iterator[str]:
    for name, result in library(file).returns.items():
        yield from (name, *_classes(result))
    for name, outcomes in library(file).outcomes.items():
        yield from (name, *(held for one in outcomes for held in _classes(one.gives)))
    for _, runner in library(file).runners:
        yield from runner.passes
        yield from (place.removesuffix(".*") for place in runner.yields if place.endswith(".*"))
    for entry in library(file).classes:
        for result in entry.knowledge.returns.values():
            yield from _classes(result)
        for outcomes in entry.knowledge.outcomes.values():
            yield from (held for one in outcomes for held in _classes(one.gives))
        for held in entry.knowledge.attributes.values():
            yield from _classes(held)
        yield from filter(None, (entry.knowledge.becomes,))
        for runner in entry.knowledge.runners.values():
            yield from runner.passes


def _classes(result: Result) -> Iterator[str]:
    """The classes that a result names: of a tuple, those of its items that are known."""
    names = (result,) if isinstance(result, str) else filter(None, result)
    for name in names:
        yield from re.findall(r"\w+(?:\.\w+)+", name)


def test_spellings_are_one_object(file: str) -> None:
    entries = library(file)
    callables = (*entries.functions, *entries.decorators, *entries.runners)
    listed = [names for names, _ in callables]
    listed += [entry.names for entry in entries.classes]
    gone = _gone(file)
    different = [
        " ".join(n.spellings)
        for n in listed
        if not gone.intersection(n.spellings) and not witness.same(n.spellings)
    ]
    assert not different, report(different)


def test_methods_exist(file: str) -> None:
    missing = [
        f"{entry.knowledge.name}.{method}"
        for entry in library(file).classes
        for method, until in _methods(entry.knowledge)
        if _has(entry.knowledge, method) == witness.gone(header(file).distribution, until)
    ]
    assert not missing, report(missing)


def _has(known: ClassKnowledge, method: str) -> bool:
    """Whether a class has a method; where it stands for all that objects lead to, any of these."""
    if witness.has(known.name, method):
        return True
    return "__getattr__" in known.returns and witness.defines(known.name, method)


def _methods(known: ClassKnowledge) -> Iterator[tuple[str, str]]:
    """Names, and the versions in which they are gone."""
    yield from ((name, blocking.until) for name, blocking in known.methods.items())
    yield from ((name, runner.until) for name, runner in known.runners.items())
    yield from ((name, "") for name in known.harmless - {"*"})
    yield from ((name, blocking.until) for name, blocking in known.patterns if name != "*")


def is_run(file: str) -> bool:
    """Whether the library shows by itself, run by another test, which methods it calls."""
    return (APPLICATIONS / file).with_suffix(".py").is_file()


def test_attributes_and_overridden_methods_are_known_to_the_class(file: str) -> None:
    missing = [
        f"{entry.knowledge.name}.{name}"
        for entry in library(file).classes
        for known in (
            entry.knowledge.returns,
            entry.knowledge.outcomes,
            entry.knowledge.attributes,
            () if is_run(file) else entry.knowledge.overrides,
            entry.knowledge.once,
        )
        for name in known
        # What stands for all parts that objects lead to need not be a method of theirs.
        if name != "__getattr__"
        and not witness.exists(f"{entry.knowledge.name}.{name}")
        and not witness.has(entry.knowledge.name, name)
        and not witness.mentions(entry.knowledge.name, name)
    ]
    assert not missing, report(missing)


def test_twins_exist_and_are_not_what_they_replace(file: str) -> None:
    distribution = header(file).distribution
    twins = {
        blocking.name: blocking.twin
        for blocking in _all_blocking(file)
        if blocking.twin and not witness.gone(distribution, blocking.until)
    }
    twins |= {e.knowledge.name: e.knowledge.twin for e in library(file).classes if e.knowledge.twin}
    wrong = [
        f"{name} -> {twin}"
        for name, twin in twins.items()
        if name == twin or not witness.exists(twin)
    ]
    assert not wrong, report(wrong)


def test_twins_beside_a_call_give_what_is_said(file: str) -> None:
    """What is exchanged for a twin is awaited, or gone through: the library has the last word."""
    wrong = [
        f"{blocking.name} -> {blocking.twin} is {found}, not {blocking.twin_is}"
        for blocking in _all_blocking(file)
        if blocking.twin.rpartition(".")[0] == blocking.name.rpartition(".")[0]
        for found in (witness.gives(blocking.twin),)
        if found and blocking.twin_is != "other" and found != blocking.twin_is
    ]
    assert not wrong, report(wrong)


def test_generators_are_moved_with_what_goes_through_them(file: str) -> None:
    """A thread that only makes a generator has done nothing."""
    lazy = table("threads")["lazy"]
    wrong = [
        name
        for blocking in _all_blocking(file)
        for name in witness.named(blocking.name)
        if witness.makes_generator(name)
        and not blocking.lazy
        and not any(fnmatchcase(name, p) for p in lazy)
    ]
    assert not wrong, report(wrong)


def test_only_what_is_read_is_a_property(file: str) -> None:
    wrong = [
        blocking.name
        for entry in library(file).classes
        for method, blocking in entry.knowledge.methods.items()
        if blocking.is_property and witness.is_called(f"{entry.knowledge.name}.{method}")
    ]
    assert not wrong, report(wrong)


def _all_blocking(file: str) -> Iterator[Blocking]:
    for _, blocking in (*library(file).functions, *library(file).decorators):
        yield blocking
    for entry in library(file).classes:
        yield from entry.knowledge.methods.values()


def test_conditions_fit_the_signatures(file: str) -> None:
    wrong = []
    for blocking in _all_blocking(file):
        for condition in (*blocking.harmless_if, *blocking.only_if):
            wrong += _misfits(blocking.name, condition)
    for entry in library(file).classes:
        for blocking in entry.knowledge.methods.values():
            for condition in (*blocking.harmless_if_made, *blocking.only_if_made):
                wrong += _misfits(entry.knowledge.name, condition)
        for method, outcomes in entry.knowledge.outcomes.items():
            name = f"{entry.knowledge.name}.{method}"
            wrong += [m for one in outcomes for c in one.only_if for m in _misfits(name, c)]
    for name, outcomes in library(file).outcomes.items():
        wrong += [m for one in outcomes for c in one.only_if for m in _misfits(name, c)]
    assert not wrong, report(wrong)


def _misfits(name: str, condition: Condition) -> list[str]:
    if condition.type and checkable(condition.type) and not witness.exists(condition.type):
        return [f"{name}: no type {condition.type}"]
    return _place_misfits(name, condition.argument, condition.position)


def _place_misfits(name: str, argument: str, position: int) -> list[str]:
    signatures = witness.parameters(name)
    if any(signature.fits(argument, position) for signature in signatures):
        return []
    if not signatures and not argument and position == 0:
        # Written in C, without a word on what it takes; a first argument it has.
        return []
    return [f"{name}: `{argument}` at {position} in {signatures}"]


def test_runners_fit_the_signatures(file: str) -> None:
    wrong = []
    for runner in _all_runners(file):
        gone = witness.gone(header(file).distribution, runner.until)
        if not gone and (runner.argument or runner.position >= 0):
            wrong += _place_misfits(runner.name, runner.argument, runner.position)
    assert not wrong, report(wrong)


def test_runners_take_what_they_call_with(file: str) -> None:
    wrong = []
    for runner in _all_runners(file):
        signatures = witness.parameters(runner.name) if runner.called_with else set()
        if runner.called_with == ("*",):
            is_right = any(signature.rest for signature in signatures)
        else:
            named = [{*signature.positional, *signature.keyword_only} for signature in signatures]
            is_right = runner.inline or any(names.issuperset(runner.called_with) for names in named)
        if runner.called_with and not is_right:
            wrong.append(f"{runner.name}: `{runner.called_with}` in {signatures}")
    assert not wrong, report(wrong)


def _all_runners(file: str) -> Iterator[Runner]:
    for _, runner in library(file).runners:
        yield runner
    for entry in library(file).classes:
        yield from entry.knowledge.runners.values()


def test_every_library_says_where_its_facts_are_from(file: str) -> None:
    assert all(blocking.source.startswith("https://") for blocking in _all_blocking(file))
