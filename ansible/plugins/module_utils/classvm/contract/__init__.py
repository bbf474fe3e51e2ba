"""The contract check: call every operation of a running service, and validate each answer.

Every operation of the spec is called with the examples that the spec gives, and each answer is
compared with the responses that the spec declares. Then a few probes send what the spec forbids
and expect to be refused.

The package is complete in itself: it imports nothing else of classvm, so it runs inside Ansible
and, shipped as one archive, in a container that holds nothing else of this project.
`checker` is its front door.

Needs Python 3.7 or newer, PyYAML and jsonschema 4.17 or newer.

Standards: OpenAPI 3.0.3 (documents), JSON Schema draft 4 (bodies), RFC 3986 and
RFC 6570 (URLs), RFC 8259 (JSON), RFC 9110 (HTTP), RFC 9457 (problem details).
Left out: authentication, cookie parameters, references to other documents.
"""
