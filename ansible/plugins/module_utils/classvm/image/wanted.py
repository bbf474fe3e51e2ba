"""Decide which images a deploy needs, from what its host has.

The control node asks this of what it was told of the host, and the host of its engine: the answer
has one home.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional

from . import checker_image, lock_store, service_image


@dataclass(frozen=True)
class Wanted:
    """The images of a deploy.

    Attributes:
        service: the service image.
        checker: the image in which the contract is checked, or None where it is not asked for.

    """

    service: service_image.Recipe
    checker: Optional[checker_image.Recipe] = None

    @property
    def names(self) -> List[str]:
        """The names of the images."""
        return [self.service.image, *([self.checker.image] if self.checker else [])]

    def missing(self, built: Mapping[str, str]) -> Dict[str, Any]:
        """Return which images are missing, as the module answers.

        Args:
            built: digest of each image of classvm on the host, by name.

        """
        checker = self.checker
        return {
            "needs_context": built.get(self.service.image) != self.service.digest,
            "needs_checker": checker is not None and built.get(checker.image) != checker.digest,
        }

    def named(self) -> Dict[str, Any]:
        """Return how the images are called, as the module answers."""
        return {
            "release": self.service.release,
            "image": self.service.image,
            "checker_image": self.checker.image if self.checker else "",
        }


def wanted(args: Mapping[str, Any], base_digest: str) -> Wanted:
    """Return the images that the module's arguments ask for.

    Args:
        args: the arguments of the module classvm_image; those that are missing are as by default.
        base_digest: digest of the base image's layers.

    """
    source, checker = args.get("lock_id_source", ""), args.get("checker_digest", "")
    recipe = service_image.Recipe(
        service=args["service"],
        base=args["base_image"],
        base_digest=base_digest,
        source_digest=args["source_digest"],
        content=args.get("content", ""),
        contract_digest=args.get("contract_digest", ""),
        keep=tuple(args.get("keep", ())),
        app=args.get("app", ""),
        lock=lock_store.lock_id(base_digest, source) if source else "",
    )
    if not checker:
        return Wanted(recipe)
    return Wanted(recipe, checker_image.Recipe(args["base_image"], base_digest, checker))


def predicted(args: Mapping[str, Any], known: Mapping[str, Any]) -> Dict[str, Any]:
    """Return what the module would answer to the question what is missing.

    Args:
        args: the module's arguments.
        known: what is known of the host's images; {} is nothing, and gives {}.

    """
    if not known:
        return {}
    images = wanted(args, known["base"])
    return {"changed": False, **images.named(), **images.missing(known["built"])}
