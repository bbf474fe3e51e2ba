"""What Python 3.7 has, and the last versions of well-known packages that run on it."""

from __future__ import annotations

from packaging.requirements import Requirement
from packaging.specifiers import Specifier
from packaging.version import InvalidVersion, Version

# The interpreter of the service image, as environment markers see it.
ENVIRONMENT = {
    "implementation_name": "cpython",
    "implementation_version": "3.7.5",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_system": "Linux",
    "platform_version": "",
    "python_full_version": "3.7.5",
    "python_version": "3.7",
    "sys_platform": "linux",
    "extra": "",
}
# The modules that come with it: `sys.stdlib_module_names` exists from Python 3.10 on only.
_STANDARD_LIBRARY = """
    __future__ abc aifc antigravity argparse array ast asynchat asyncio asyncore atexit audioop base64
    bdb binascii binhex bisect builtins bz2 calendar cgi cgitb chunk cmath cmd code codecs codeop
    collections colorsys compileall concurrent configparser contextlib contextvars copy copyreg cprofile
    crypt csv ctypes curses dataclasses datetime dbm decimal difflib dis distutils doctest
    dummy_threading email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch
    formatter fractions ftplib functools gc genericpath getopt getpass gettext glob grp gzip hashlib
    heapq hmac html http idlelib imaplib imghdr imp importlib inspect io ipaddress itertools json
    keyword lib2to3 linecache locale logging lzma macpath mailbox mailcap marshal math mimetypes mmap
    modulefinder msilib msvcrt multiprocessing netrc nis nntplib nt ntpath nturl2path numbers opcode
    operator optparse os ossaudiodev parser pathlib pdb pickle pickletools pipes pkgutil platform
    plistlib poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data
    pyexpat queue quopri random re readline reprlib resource rlcompleter runpy sched secrets select
    selectors shelve shlex shutil signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3
    sre_compile sre_constants sre_parse ssl stat statistics string stringprep struct subprocess sunau
    symbol symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios textwrap this
    threading time timeit tkinter token tokenize trace traceback tracemalloc tty turtle turtledemo types
    typing unicodedata unittest urllib uu uuid venv warnings wave weakref webbrowser winreg winsound
    wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib
    """
STANDARD_LIBRARY = frozenset(_STANDARD_LIBRARY.split())
# The last version for Python 3.7 of packages whose newer versions need a newer Python.
LAST = {
    "a2wsgi": "1.7.0", "attrs": "24.2.0", "click": "8.1.8", "connexion": "2.14.2",
    "cryptography": "45.0.7", "faker": "18.13.0", "fastapi": "0.103.2", "flask": "2.2.5",
    "flask-cors": "5.0.0", "flask-marshmallow": "0.15.0", "flask-sqlalchemy": "3.0.5",
    "flask-wtf": "1.1.1", "gevent": "22.10.2", "gunicorn": "23.0.0", "h5py": "3.8.0",
    "idna": "3.10", "importlib-metadata": "6.7.0", "importlib-resources": "5.12.0",
    "ipython": "7.34.0", "itsdangerous": "2.1.2", "joblib": "1.3.2", "jsonschema": "4.17.3",
    "lxml": "5.4.0", "markupsafe": "2.1.5", "marshmallow": "3.19.0",
    "marshmallow-sqlalchemy": "0.29.0", "matplotlib": "3.5.3", "networkx": "2.6.3",
    "nltk": "3.8.1", "numpy": "1.21.6", "openapi-spec-validator": "0.5.7", "openpyxl": "3.1.3",
    "packaging": "24.0", "pandas": "1.3.5", "pillow": "9.5.0", "pip": "24.0",
    "plotly": "5.18.0", "protobuf": "4.24.4", "pydantic": "2.5.3", "pymongo": "4.7.3",
    "pyrsistent": "0.19.3", "pytest": "7.4.4", "python-dotenv": "0.21.1", "pyyaml": "6.0.1",
    "redis": "5.0.8", "requests": "2.31.0", "scikit-learn": "1.0.2", "scipy": "1.7.3",
    "seaborn": "0.12.2", "setuptools": "68.0.0", "starlette": "0.29.0", "statsmodels": "0.13.5",
    "sympy": "1.10.1", "tensorflow": "2.11.0", "torch": "1.13.1", "typing-extensions": "4.7.1",
    "urllib3": "2.0.7", "uvicorn": "0.22.0", "werkzeug": "2.2.3", "xgboost": "1.6.2",
    "zipp": "3.15.0",
}  # fmt: skip
# An upper limit that says the same and stays readable, for those whose next version differs most.
LIMITS = {"connexion": "<3", "flask": "<2.3", "werkzeug": "<2.3", "gunicorn": "<24"}


def last_version(name: str, requirement: Requirement) -> str:
    """Return the last version for Python 3.7 of a package of which a newer one is asked for, else ""."""
    last = LAST.get(name, "")
    if not last or not counts(requirement):
        return ""
    newer = any(_is_newer(one, Version(last)) for one in requirement.specifier)
    return last if newer else ""


def counts(requirement: Requirement) -> bool:
    """Tell whether a requirement's environment marker holds in the service image."""
    return requirement.marker is None or requirement.marker.evaluate(dict(ENVIRONMENT))


def _is_newer(asked: Specifier, last: Version) -> bool:
    """Tell whether every version that is asked for is newer than the last one for Python 3.7."""
    try:
        version = Version(asked.version.replace(".*", ""))
    except InvalidVersion:
        return False
    if asked.operator == ">":
        return version >= last
    # A local label such as +cpu makes a version newer than itself.
    return asked.operator in ("==", "===", ">=", "~=") and Version(version.public) > last
