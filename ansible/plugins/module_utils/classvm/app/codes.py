"""The kinds of findings in an app: how serious each is, and why it matters.

The lesson behind each code stands in docs/findings.md.
"""

from __future__ import annotations

from typing import Dict, NamedTuple

ERROR, WARNING, NOTE = "error", "warning", "note"


class Rule(NamedTuple):
    """A kind of finding."""

    severity: str
    title: str
    why: str


RULES: Dict[str, Rule] = {
    "CV001": Rule(ERROR, "The file is not valid YAML", "Nothing of the spec can be read."),
    "CV002": Rule(ERROR, "The spec is too large or has no end", "It would never be checked."),
    "CV003": Rule(WARNING, "There is no spec", "Without a spec no answer can be checked."),
    "CV004": Rule(ERROR, "The code names a spec that is not there", "The app ends at its start."),
    "CV005": Rule(ERROR, "A key stands twice", "YAML keeps the last one; the first is lost."),
    "CV006": Rule(ERROR, "A value that OpenAPI does not know", "The app refuses its spec."),
    "CV007": Rule(ERROR, "A key that OpenAPI does not know", "The app refuses its spec."),
    "CV008": Rule(ERROR, "A required key is missing", "The app refuses its spec."),
    "CV009": Rule(ERROR, "A $ref leaves the file", "Nothing outside of it is read."),
    "CV010": Rule(ERROR, "A $ref points to nothing", "The app refuses its spec."),
    "CV011": Rule(WARNING, "A path parameter in Flask's notation", "Its value is not checked."),
    "CV012": Rule(ERROR, "The handler is not there", "The app ends at its start."),
    "CV013": Rule(ERROR, "The handler's module is not there", "The app ends at its start."),
    "CV014": Rule(ERROR, "An operationId stands twice", "Two operations need two names."),
    "CV015": Rule(ERROR, "The handler does not take the parameters", "The call ends with 500."),
    "CV016": Rule(ERROR, "Path and parameters do not match", "The app refuses its spec."),
    "CV017": Rule(ERROR, "An operation without an operationId", "Nothing says what to call."),
    "CV018": Rule(WARNING, "Several numbers in one path", "connexion 2 mixes them up."),
    "CV019": Rule(WARNING, "The answer is not what the spec promises", "Clients rely on the spec."),
    "CV020": Rule(ERROR, "The Python file cannot be read", "The app ends at its start."),
    "CV021": Rule(ERROR, "The code needs a newer Python", "Here is Python 3.7."),
    "CV022": Rule(ERROR, "An import of a name that is not there", "The app ends at its start."),
    "CV023": Rule(ERROR, "The code needs connexion 3", "It needs Python 3.8; here is 3.7."),
    "CV024": Rule(WARNING, "An import starts the server", "Nobody can import the app."),
    "CV025": Rule(WARNING, "Debug mode", "Strangers can run code in it."),
    "CV026": Rule(WARNING, "It listens on 127.0.0.1", "In a container nobody else reaches that."),
    "CV027": Rule(ERROR, "There is no program to start", "Nothing says how the app starts."),
    "CV028": Rule(WARNING, "The app writes into its folder", "It is lost with the next deploy."),
    "CV029": Rule(ERROR, "The app needs a second container", "One service is one container."),
    "CV030": Rule(ERROR, "An unfinished merge", "pip stops at the first marker."),
    "CV031": Rule(ERROR, "A package from a git server", "It has no hash and may change."),
    "CV032": Rule(WARNING, "A package in a folder of another computer", "It is not here."),
    "CV033": Rule(WARNING, "A package of another system", "It does not exist for Linux."),
    "CV034": Rule(WARNING, "A module that comes with Python", "Its name may belong to others."),
    "CV035": Rule(WARNING, "A placeholder package", "It refuses to install."),
    "CV036": Rule(NOTE, "A package without a version", "It changes from day to day."),
    "CV037": Rule(WARNING, "A package is named twice", "Only one line counts."),
    "CV038": Rule(WARNING, "The file is not UTF-8", "Other programs cannot read it."),
    "CV039": Rule(WARNING, "An imported package is not required", "It would be missing."),
    "CV040": Rule(ERROR, "A version that needs a newer Python", "Here is Python 3.7."),
    "CV041": Rule(WARNING, "An old package with new helpers", "They no longer fit together."),
    "CV042": Rule(WARNING, "A line that pip cannot read", "pip stops at it."),
    "CV043": Rule(ERROR, "The list names what is not there", "pip stops at that line."),
    "CV044": Rule(WARNING, "A helper's version that needs a newer Python", "Here is Python 3.7."),
    "CV045": Rule(NOTE, "A package that nothing needs", "It makes each image larger."),
    "CV046": Rule(WARNING, "Another Python is asked for", "Here is Python 3.7."),
    "CV050": Rule(ERROR, "Docker does not know this instruction", "The build stops there."),
    "CV051": Rule(WARNING, "EXPOSE names another port", "Readers look at the wrong port."),
    "CV052": Rule(WARNING, "The build clones another copy", "This folder is what is deployed."),
    "CV053": Rule(WARNING, "Another base image", "Here it is Ubuntu 18.04 with Python 3.7."),
    "CV054": Rule(WARNING, "The port mapping misses the app", "Nobody would answer."),
    "CV055": Rule(NOTE, "The build brings a pip of its own", "Today's pip refuses Python 3.7."),
    "CV056": Rule(WARNING, "A package of the folder is not required", "It would be missing."),
    "CV057": Rule(NOTE, "Advice about the Dockerfile", "hadolint knows the usual pitfalls."),
    "CV060": Rule(WARNING, "A secret lies in the folder", "Whoever gets the folder has it."),
    "CV061": Rule(WARNING, "Files that are not part of an app", "They stay out of the image."),
    "CV062": Rule(WARNING, "A large file", "Each deploy carries it to each host."),
    "CV063": Rule(WARNING, "A link that leads nowhere or out", "What it names is not deployed."),
    "CV064": Rule(ERROR, "A file that cannot be read", "The build could not copy it."),
    "CV065": Rule(ERROR, "Too many files to read", "The rest would be missing in the image."),
    "CV066": Rule(WARNING, "A file that git has left elsewhere", "Its content is not here."),
    "CV070": Rule(ERROR, "classvm.yml is not valid", "What it asks for would not happen."),
    "CV080": Rule(NOTE, "The user's name is asked for", "A container need not know one."),
    "CV081": Rule(NOTE, "The start takes long", "Until it has ended, nobody answers."),
    "CV082": Rule(NOTE, "Data is kept in memory", "It is lost with the process."),
    "CV083": Rule(NOTE, "A hyphen in a module's name", "Python's import cannot name it."),
    "CV084": Rule(WARNING, "A path of another computer", "It is not there in the container."),
    "CV085": Rule(ERROR, "A file hides a package", "Whoever imports it gets the file."),
    "CV086": Rule(WARNING, "A file hides a module of Python", "Other packages may get the file."),
    "CV087": Rule(ERROR, "There are several apps", "A release is one of them."),
    "CV088": Rule(WARNING, "The start does not end", "Nobody would answer."),
}
