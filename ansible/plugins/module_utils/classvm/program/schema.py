"""The requests and the answers of the host program, in the terms of JSON Schema.

This is their one home: the program validates requests against it, tests validate real answers, and
docs/program.schema.json is written from it.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, Tuple

from ..base.names import LONGEST_NAME, SERVICE_NAME
from ..release.limits import LIMITS
from ..release.release_spec import Seconds

Schema = Dict[str, Any]

# --- Values ---------------------------------------------------------------------------------------

BOOLEAN: Schema = {"type": "boolean"}
TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
LINES: Schema = {"type": "array", "items": TEXT}
SERVICE: Schema = {
    "type": "string",
    "pattern": f"^{SERVICE_NAME.pattern}$",
    "maxLength": LONGEST_NAME,
}
# What can stand behind the colon of an image's name; empty in a dry run that cannot know it yet.
RELEASE: Schema = {
    "type": "string",
    "pattern": "^(?:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$",
    "maxLength": 128,
}
IMAGE: Schema = {"type": "string", "pattern": "^(?:[a-z0-9][A-Za-z0-9_./:-]*)?$", "maxLength": 255}
PORT: Schema = {"type": "integer", "minimum": 1, "maximum": 65535}
LIMIT: Schema = {
    "type": "string",
    "pattern": "^[0-9]+(?:[.][0-9]+)? ?[bkmgBKMG]?[bB]?$",
    "maxLength": 24,
}
DURATION: Schema = {"type": "number", "minimum": 0, "maximum": 86400}
REVISION: Schema = {"type": "string", "pattern": "^[A-Za-z0-9_./+-]*$", "maxLength": 100}
PATH: Schema = {"type": "string", "pattern": "^/[^\\x00-\\x1f]*$", "maxLength": 1000}
FINGERPRINT: Schema = {"type": "string", "pattern": "^[0-9a-f-]*$", "maxLength": 200}
TOKEN: Schema = {"type": "string", "pattern": "^[0-9a-f]{32}$", "maxLength": 32}
VARIABLES: Schema = {
    "type": "object",
    "maxProperties": 500,
    "propertyNames": {"pattern": "^[^=\\s\\x00]+$", "maxLength": 200},
    "additionalProperties": {"type": "string", "maxLength": 100_000},
}


def members(required: Schema, optional: Schema) -> Schema:
    """Return the schema of an object with these members and no others."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional},
        "additionalProperties": False,
    }


SETTINGS = members(
    {
        "host_port": PORT,
        "container_port": PORT,
        "limits": members(dict.fromkeys(LIMITS, LIMIT), {}),
        "seconds": members({one.name: DURATION for one in dataclasses.fields(Seconds)}, {}),
    },
    {"environment": VARIABLES, "gapless": BOOLEAN},
)

# --- Requests -------------------------------------------------------------------------------------

EVERY: Schema = {
    "service": {**SERVICE, "description": "By default the one of the last provision."},
    "state_dir": {**PATH, "description": "By default the folder of the last provision."},
    "check": {**BOOLEAN, "description": "Tell what would be done, and change nothing."},
    "progress": {
        **TOKEN,
        "description": "Name of a new file in the folder `progress` of the state folder, for the newest line of what is going on.",
    },
}
BACKGROUND: Schema = {
    "background": {
        **BOOLEAN,
        "description": "By default, the answer comes when the release serves, and the host finishes the swap in the background. False waits for that.",
    }
}
DIFF: Schema = {
    "diff": {**BOOLEAN, "description": "Compare the live release with the desired one."}
}
TIMEOUT: Schema = {
    "health_timeout": {**DURATION, "description": "By default that of the last deploy."}
}
SETTINGS_AS_BEFORE: Schema = {
    "settings": {**SETTINGS, "description": "By default those of the last deploy."}
}


def _request(required: Schema, optional: Schema) -> Schema:
    return members(
        {"protocol": {"type": "integer", "minimum": 1}, **required}, {**EVERY, **optional}
    )


REQUESTS: Dict[str, Schema] = {
    "release": _request(
        {"release": RELEASE, "settings": SETTINGS, "keep_releases": {**COUNT, "maximum": 1000}},
        {
            **DIFF,
            **BACKGROUND,
            "contract": {"type": "string", "maxLength": 4 << 20},
            "checker_image": IMAGE,
            "content": {"type": "string", "maxLength": 1 << 18},
            "revision": REVISION,
        },
    ),
    "rollback": _request({}, {**DIFF, **BACKGROUND, **SETTINGS_AS_BEFORE, "release": RELEASE}),
    "releases": _request({}, {}),
    "status": _request({}, {}),
    "logs": _request(
        {},
        {
            "lines": {**COUNT, "maximum": 1_000_000},
            "all": {
                **BOOLEAN,
                "description": "With the lines of health checks and contract checks.",
            },
            "container": {"type": "string", "pattern": "^[0-9a-f]{0,64}$", "maxLength": 64},
            "stamp": {"type": "string", "pattern": "^[0-9TZ:.+-]*$", "maxLength": 40},
            "wait": {**DURATION, "maximum": 60},
        },
    ),
    "start": _request({}, TIMEOUT),
    "restart": _request({}, TIMEOUT),
    "stop": _request({}, {}),
    "maintenance": _request({"on": BOOLEAN}, {}),
    "verify-image": _request({}, {"release": RELEASE}),
    "verify-provision": _request(
        {},
        {
            "fingerprint": {
                **FINGERPRINT,
                "description": "Of the provision that a clone describes; by default the recorded one.",
            },
            "base_image": IMAGE,
            "port": {**PORT, "minimum": 0},
            "password_given": BOOLEAN,
            "with_status": {
                **BOOLEAN,
                "description": "Add the answer of `status`, where the engine is within reach.",
            },
            "to_deploy": {
                **BOOLEAN,
                "description": "Refuse what cannot be provisioned or released here, and tell of one problem and of the images.",
            },
        },
    ),
    "account": _request({}, {}),
    "version": _request({}, {}),
}
VERBS: Tuple[str, ...] = tuple(REQUESTS)

# What a student sends as the first line, before the app: most of a release is not a student's to say.
KEPT_FOLDER: Schema = {
    "type": "string",
    "pattern": "^(?!/(?:proc|sys|dev)(?:/|$))(?:/(?![.]{1,2}(?:/|$))[A-Za-z0-9_.-]+)+$",
    "maxLength": 200,
}
REQUESTS_OF_STUDENTS: Dict[str, Schema] = {
    "release": _request(
        {"contract": {"type": "string", "maxLength": 4 << 20}},
        {
            **DIFF,
            "revision": REVISION,
            "app": {"type": "string", "pattern": "^[^\\x00-\\x1f\\x7f-\\x9f]*$", "maxLength": 100},
            "keep": {"type": "array", "items": KEPT_FOLDER, "maxItems": 20},
            "kit": {
                **BOOLEAN,
                "description": "Whether the host compiles the lock of the packages.",
            },
            "host_port": {**PORT, "description": "Refused where it is not the recorded one."},
            "container_port": PORT,
            "limits": {
                **members({}, dict.fromkeys(LIMITS, LIMIT)),
                "description": "Each at most the recorded one, which counts without it.",
            },
            "secrets": members(
                {},
                {
                    "pip.conf": {"type": "string", "maxLength": 1 << 16},
                    "ca.pem": {"type": "string", "maxLength": 1 << 20},
                },
            ),
        },
    ),
}


def request_of(verb: str, *, for_student: bool) -> Schema:
    """Return the schema of the requests for a verb."""
    of_students = REQUESTS_OF_STUDENTS if for_student else {}
    return of_students.get(verb, REQUESTS[verb])


# --- Answers --------------------------------------------------------------------------------------

STATUS = members(
    {
        "state": {"enum": ["up", "degraded", "unhealthy", "stopped", "absent"]},
        "release": TEXT,
        "since": TEXT,
        "port": COUNT,
        "edge": {"enum": ["none", "up", "down"]},
        "maintenance": BOOLEAN,
        "restarts": COUNT,
        "problems": LINES,
    },
    {},
)
CHANGED: Schema = {"changed": {**BOOLEAN, "description": "In a dry run, whether it would be."}}
LIVE: Schema = {
    **CHANGED,
    "release": TEXT,
    "replaced": TEXT,
    "container": TEXT,
    "gap": {"type": ["number", "null"]},
    "gap_reason": TEXT,
    "seconds": {"type": "number"},
    "removed": LINES,
    "finishing": {**TEXT, "description": "What the host still does in the background, or nothing."},
    "edge_is_idle": BOOLEAN,
    "maintenance_note": TEXT,
    "classvm_notes": LINES,
}
LIVE_DIFF: Schema = {"diff": members({"before": TEXT, "after": TEXT}, {})}
ACCOUNT: Schema = {
    "account": TEXT,
    "privilege": {"enum": ["root", "sudo", "password", "none"]},
    "obstacle": TEXT,
    "engine_access": BOOLEAN,
    "release_only": BOOLEAN,
    "password_hint": TEXT,
}
ENTRY: Schema = {"type": "object", "required": ["time", "release", "result", "who", "mark"]}
SWAP: Schema = {
    "finishing": {
        **BOOLEAN,
        "description": "Whether a process finishes a swap, whose release serves already.",
    },
    "taken_back": {
        **TEXT,
        "description": "Why the newest release had to give way again after clients had reached it.",
    },
}
LIVE_STATUS: Schema = {"service": TEXT, **SWAP, "status": STATUS}
RUNS: Schema = {**CHANGED, "status": STATUS, "maintenance_note": TEXT}
ERROR = members(
    {
        "code": {"enum": ["failed", "request", "protocol", "provision", "defect", "interrupted"]},
        "line": {**TEXT, "description": "Cause, place and next command."},
        "fix": TEXT,
        "details": TEXT,
    },
    {},
)


def _answer(required: Schema, optional: Schema) -> Schema:
    told: Schema = {"protocol": {"type": "integer"}, "error": {"type": "null"}}
    return members({**told, **required}, optional)


ANSWERS: Dict[str, Schema] = {
    "release": _answer(
        LIVE,
        {
            **LIVE_DIFF,
            "bounds": {**LINES, "description": "For a student: which bounds an admin has set."},
        },
    ),
    "rollback": _answer(LIVE, LIVE_DIFF),
    "releases": _answer(
        {
            **SWAP,
            "status": STATUS,
            "releases": {"type": "array", "items": ENTRY},
            "table": TEXT,
            "remark": TEXT,
        },
        {},
    ),
    "status": _answer(LIVE_STATUS, {}),
    "logs": _answer({"lines": LINES, "container": TEXT, "stamp": TEXT}, {}),
    "start": _answer(RUNS, {}),
    "restart": _answer(RUNS, {}),
    "stop": _answer({**CHANGED, "status": STATUS}, {}),
    "maintenance": _answer(CHANGED, {}),
    "verify-image": _answer({"image": TEXT, "release": TEXT, "problems": LINES}, {}),
    "verify-provision": _answer(
        {**ACCOUNT, "stale": TEXT, "unseen": TEXT},
        {
            "problems": LINES,
            "guard": {"enum": ["none", "loaded", "missing", "changed", "unknown"]},
            "images": {"type": "object"},
            "ignored": LINES,
            **LIVE_STATUS,
        },
    ),
    "account": _answer(ACCOUNT, {}),
    "version": _answer({"digest": TEXT}, {}),
}
FAILURE = members({"protocol": {"type": "integer"}, "error": ERROR}, {})


def document() -> Schema:
    """Return all of it as one document of JSON Schema."""
    return {
        "title": "Requests and answers of the host program classvm",
        "$defs": {
            "requests": REQUESTS,
            "requests_of_students": REQUESTS_OF_STUDENTS,
            "answers": {name: {"anyOf": [one, FAILURE]} for name, one in ANSWERS.items()},
        },
    }
