import re

from caracal_web_helpers import client, method, path, request_context, site, status, uri

SCRIPT = r"\.(php\d?|phtml|phar|jspx?|aspx?|ashx|cfm|cgi)$"
KNOWN = re.compile(r"/(c99|r57|wso\d*|b374k|alfa\w*|weevely|webshell|shell\d*|cmd|cmdjsp|jspspy|antsword|behinder|godzilla)" + SCRIPT)
UPLOADED = re.compile(r"/(uploads?|files|images|img|media|tmp|cache)/.*" + SCRIPT)
COMMAND = re.compile(r"[?&](cmd|exec|execute|command|shell)=", re.IGNORECASE)
IS_SCRIPT = re.compile(SCRIPT)


def rule(event):
    if status(event) != 200:
        return False
    where = path(event)
    if not IS_SCRIPT.search(where):
        return False
    if KNOWN.search(where) or COMMAND.search(uri(event)):
        return True
    return method(event) == "POST" and UPLOADED.search(where) is not None


def title(event):
    return f"Web shell on {site(event)}? {path(event)} answered {client(event)}"


def dedup(event):
    return f"{site(event)} {path(event)}"


def alert_context(event):
    return request_context(event)
