"""Facts about well-known packages: their modules, what they need, and those of other systems."""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, Iterable, Set

# Packages that exist for one system, or are part of it, by the reason.
FOREIGN = {
    "exists for Windows only": re.compile(
        r"pywin32|pypiwin32|pywinpty|winpty|wincertstore|win-inet-pton|win32-setctime|pywin32-ctypes|menuinst"
        r"|win-unicode-console|pyreadline3?|comtypes|wmi|windows-curses|pythonnet|vs20\d\d-\w+|vc|ucrt"
    ),
    "exists for macOS only": re.compile(r"appnope|pyobjc.*|macholib"),
    "is Anaconda's own": re.compile(
        r"mkl.*|conda.*|anaconda.*|navigator-updater|clyent|ruamel-yaml-conda|numpy-base"
        r"|libgcc.*|libstdcxx.*|libgfortran.*|libgomp|openmp|intel-openmp|blas|libblas|libcblas|liblapack"
        r"|ca-certificates|openssl|sqlite|libffi|zlib|xz|tk|readline|ncurses|libedit|python|icc-rt|icu|qt"
        r"|hdf5|libpng|libtiff|jpeg|freetype|python-abi|bzip2|ld-impl-linux-64|tbb4py|libarchive-c"
    ),
    "is part of Ubuntu": re.compile(
        r"pkg-resources|python-apt|python-debian|apturl|command-not-found|distro-info|language-selector"
        r"|ubuntu-.*|ufw|unattended-upgrades|usb-creator|xkit|systemd-python|ssh-import-id|cloud-init"
        r"|launchpadlib|lazr-.*|screen-resolution-extra|cupshelpers|pycups|pygobject|dbus-python|defer"
    ),
    "is part of Google Colab": re.compile(r"google-colab"),
    "installs packages, and no service needs it": re.compile(
        r"pip|wheel|distribute|pip-tools|pipenv|poetry|poetry-core|virtualenv|easy-install"
    ),
}
# Names that are reserved on the index, or do not exist there, for a package of another name.
PLACEHOLDERS = {
    "sklearn": "scikit-learn", "opencv": "opencv-python", "cv2": "opencv-python",
    "bs4": "beautifulsoup4", "yaml": "pyyaml", "pil": "pillow", "dateutil": "python-dateutil",
    "dotenv": "python-dotenv", "skimage": "scikit-image", "flask-cross-origin": "flask-cors",
    "matplotlib-base": "matplotlib",
}  # fmt: skip
# Packages by the module that code imports, where the two names differ.
_DIFFERENT = {
    "sklearn": "scikit-learn", "yaml": "pyyaml", "dateutil": "python-dateutil", "PIL": "pillow",
    "cv2": "opencv-python-headless", "bs4": "beautifulsoup4", "magic": "python-magic",
    "dotenv": "python-dotenv", "skimage": "scikit-image", "docx": "python-docx",
    "jwt": "pyjwt", "serial": "pyserial", "attr": "attrs", "mpl_toolkits": "matplotlib",
    "flask_login": "flask-login", "pkg_resources": "setuptools", "socketio": "python-socketio",
    "engineio": "python-engineio", "slugify": "python-slugify", "MySQLdb": "mysqlclient",
    "Crypto": "pycryptodome", "git": "gitpython", "psycopg2": "psycopg2-binary",
    "gridfs": "pymongo", "bson": "pymongo", "swagger_ui_bundle": "swagger-ui-bundle",
    "googleapiclient": "google-api-python-client", "mysql": "mysql-connector-python",
}  # fmt: skip
# Those whose names are the same, but for hyphens.
_SAME = """
    aiohttp bokeh cachetools catboost chardet click clickclick connexion cryptography faker fastapi flask
    flask_bcrypt flask_caching flask_cors flask_jwt_extended flask_limiter flask_mail flask_marshmallow
    flask_migrate flask_pymongo flask_restful flask_restx flask_socketio flask_sqlalchemy flask_testing
    flask_wtf folium gensim geopandas geopy gevent gunicorn h5py humanize inflection itsdangerous jinja2
    joblib jsonschema keras lightgbm lxml markdown markupsafe marshmallow marshmallow_sqlalchemy
    matplotlib more_itertools networkx nltk numba numpy openpyxl packaging pandas passlib peewee plotly
    psutil pyarrow pydantic pymongo pymysql pytz qrcode redis requests scipy seaborn setuptools
    shapely simplejson six spacy sqlalchemy statsmodels swagger_ui_bundle sympy tabulate tensorflow
    textblob tinydb toml torch torchvision tornado tqdm transformers twilio unidecode urllib3 uvicorn
    waitress werkzeug wikipedia wordcloud wtforms xgboost xlrd xlsxwriter xmltodict zeep
    """
MODULES: Dict[str, str] = {**{one: one.replace("_", "-") for one in _SAME.split()}, **_DIFFERENT}
# What well-known packages need and bring along: the union over their versions, extras included.
_NEEDS = {
    "aiohttp": "aiosignal async-timeout asynctest attrs charset-normalizer frozenlist multidict yarl",
    "attrs": "importlib-metadata",
    "beautifulsoup4": "soupsieve lxml html5lib",
    "click": "colorama importlib-metadata",
    "clickclick": "click pyyaml six",
    "connexion": "clickclick flask importlib-metadata inflection itsdangerous jsonschema packaging pyyaml"
    " openapi-spec-validator requests six swagger-ui-bundle werkzeug aiohttp aiohttp-jinja2",
    "flask": "click importlib-metadata itsdangerous jinja2 werkzeug python-dotenv",
    "flask-cors": "flask six",
    "flask-login": "flask",
    "flask-marshmallow": "flask marshmallow marshmallow-sqlalchemy packaging six",
    "flask-sqlalchemy": "flask sqlalchemy",
    "flask-wtf": "flask wtforms",
    "gevent": "greenlet zope-event zope-interface setuptools cffi",
    "gunicorn": "packaging setuptools gevent",
    "importlib-metadata": "typing-extensions zipp",
    "importlib-resources": "zipp",
    "isodate": "six",
    "jinja2": "markupsafe",
    "joblib": "",
    "jsonschema": "attrs importlib-metadata importlib-resources isodate pkgutil-resolve-name pyrsistent"
    " setuptools six typing-extensions",
    "jsonschema-spec": "pathable pyyaml typing-extensions",
    "marshmallow": "packaging",
    "marshmallow-sqlalchemy": "marshmallow packaging sqlalchemy",
    "matplotlib": "cycler fonttools kiwisolver numpy packaging pillow pyparsing python-dateutil setuptools-scm"
    " tomli typing-extensions",
    "nltk": "click joblib regex tqdm",
    "numpy": "",
    "openapi-schema-validator": "attrs isodate jsonschema jsonschema-specifications strict-rfc3339",
    "openapi-spec-validator": "jsonschema jsonschema-spec lazy-object-proxy openapi-schema-validator pyyaml six"
    " importlib-resources typing-extensions",
    "pandas": "numpy odfpy openpyxl python-dateutil pytz tzdata xlrd lxml tables",
    "pillow": "",
    "plotly": "packaging retrying six tenacity",
    "psutil": "",
    "pymongo": "dnspython",
    "pymysql": "cryptography",
    "pyrsistent": "six",
    "python-dateutil": "six",
    "python-magic": "",
    "pytz": "",
    "pyyaml": "",
    "redis": "async-timeout importlib-metadata typing-extensions deprecated packaging",
    "requests": "certifi chardet charset-normalizer idna urllib3",
    "scikit-learn": "joblib numpy scipy threadpoolctl",
    "scipy": "numpy",
    "seaborn": "matplotlib numpy pandas scipy statsmodels typing-extensions",
    "sqlalchemy": "greenlet importlib-metadata psycopg2 psycopg2-binary pymysql typing-extensions",
    "statsmodels": "numpy packaging pandas patsy scipy",
    "swagger-ui-bundle": "jinja2",
    "sympy": "mpmath",
    "tqdm": "colorama",
    "urllib3": "brotli",
    "werkzeug": "markupsafe watchdog",
    "wtforms": "markupsafe",
    "xgboost": "numpy scipy",
}
NEEDS: Dict[str, FrozenSet[str]] = {name: frozenset(text.split()) for name, text in _NEEDS.items()}


def normal(name: str) -> str:
    """Return a package's name as the index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def foreign(name: str) -> str:
    """Return why a package, by its normal name, cannot be part of a service; "" where it can."""
    return next((why for why, names in FOREIGN.items() if names.fullmatch(name)), "")


def brought(names: Iterable[str]) -> Set[str]:
    """Return the packages that these packages bring along, directly or not, as far as is known."""
    found: Set[str] = set()
    waiting = list(names)
    while waiting:
        for name in NEEDS.get(waiting.pop(), frozenset()) - found:
            found.add(name)
            waiting.append(name)
    return found


def is_known(name: str) -> bool:
    """Tell whether a package, by its normal name, is a well-known one of Python."""
    return name in NEEDS or name in MODULES.values()


def module_names(package: str) -> Set[str]:
    """Return the modules by which code imports a package, by its normal name."""
    known = {module for module, name in MODULES.items() if name == package}
    return known | {package.replace("-", "_")}
