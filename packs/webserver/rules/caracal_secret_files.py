"""Files of a web site that nobody should be able to fetch."""

import re

from caracal_web_helpers import path

SECRET = re.compile(
    r"/\.env(\.[\w.-]+)?$"
    r"|/\.git/(config|head|index|logs/head|packed-refs)$|/\.(git-credentials|svn/(entries|wc\.db)|hg/hgrc)$"
    r"|/\.(aws/(credentials|config)|ssh/\w+|docker/config\.json|kube/config|npmrc|pypirc|netrc|htpasswd|pgpass|my\.cnf)$"
    r"|/(id_rsa|id_dsa|id_ecdsa|id_ed25519)$"
    r"|/wp-config\.php(~|\.\w+)$|/(web|database|local_settings|settings)\.config\.(bak|old)$"
    r"|/(dump|backup|database|db|site|www)\.(sql|tar|zip|7z|sqlite3?)(\.gz|\.bz2|\.xz)?$"
    r"|/actuator/(env|heapdump|configprops)$|/(phpinfo|info)\.php$|/\.vscode/sftp\.json$|/credentials\.json$"
)


def is_secret(event):
    return SECRET.search(path(event)) is not None
