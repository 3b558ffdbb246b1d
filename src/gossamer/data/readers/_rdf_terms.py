"""Conversion of the terms of four RDF datasets to entities with types.

Each function takes the text of subject, predicate and object, and the kind of the object ("<" for
an IRI, otherwise the end of a literal), and returns ``(entity, relation, entity)`` or None. An
entity is a pair of type and name.
"""

from __future__ import annotations

import re

Entity = tuple[str, str]
Fact = tuple[Entity, str, Entity]

_AIFB = "http://www.aifb.uni-karlsruhe.de/"
_SWRC = "http://swrc.ontoware.org/ontology#"
_MUTAG = "http://dl-learner.org/carcinogenesis#"
_BGS = "http://data.bgs.ac.uk/"
_AM = "http://purl.org/collections/nl/am/"
_RDFS = "http://www.w3.org/2000/01/rdf-schema#"
_RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_SCHEMA = (_RDF_TYPE, f"{_RDFS}subClassOf", f"{_RDFS}domain")
_NUMBERED = re.compile(r"(d|bond)\d")


def _last(iri: str) -> str:
    return iri.rpartition("/")[2]


def aifb_entity(iri: str) -> Entity | None:
    """Return the first and the third part of the path as type and name."""
    parts = iri.removeprefix(_AIFB).split("/")
    return (parts[0], parts[2]) if iri.startswith(_AIFB) and len(parts) > 2 else None


def aifb(subject: str, predicate: str, target: str, kind: str) -> Fact | None:
    """Convert a triple; membership of a group, which is to be predicted, is omitted."""
    if predicate in (f"{_SWRC}affiliation", f"{_SWRC}employs"):
        return None
    left = aifb_entity(subject)
    right = aifb_entity(target) if kind == "<" else ("_Literal", target)
    return (left, _last(predicate), right) if left and right else None


def mutag_entity(iri: str) -> Entity | None:
    """Return type "d" for compounds and atoms, "bond" for bonds, "" for others, and the name."""
    name = iri.removeprefix(_MUTAG)
    if name == iri:
        return None
    match = _NUMBERED.match(name)
    return (match[1] if match else "", name)


def mutag(subject: str, predicate: str, target: str, kind: str) -> Fact | None:
    """Convert a triple; classes have type "SCHEMA", other untyped objects that of the relation."""
    if predicate == f"{_MUTAG}isMutagenic":
        return None
    left = mutag_entity(subject)
    relation = predicate.removeprefix(_MUTAG)
    relation = _last(relation) if relation == predicate else relation
    if kind != "<":
        number = left and left[0] == "d" and relation == "charge" and "double" in kind
        return (left, relation, ("_Literal", target)) if number else None
    right = mutag_entity(target)
    if left is None or right is None:
        return None
    if predicate in _SCHEMA:
        return (left[0] or "SCHEMA", left[1]), relation, (right[0] or "SCHEMA", right[1])
    return (left, relation, (right[0] or relation, right[1])) if left[0] else None


def bgs_entity(iri: str) -> Entity | None:
    """Return two parts of the path as type, and one as name."""
    parts = iri.removeprefix(_BGS).split("/")
    return (
        (f"{parts[1]}/{parts[2]}", parts[3]) if iri.startswith(_BGS) and len(parts) == 4 else None
    )


def bgs(subject: str, predicate: str, target: str, kind: str) -> Fact | None:
    """Convert a triple; how a rock was formed, which is to be predicted, is omitted."""
    left, right = bgs_entity(subject), bgs_entity(target) if kind == "<" else None
    relation = predicate.removeprefix(f"{_BGS}ref/")
    if predicate == f"{_BGS}ref/Lexicon/hasLithogenesis" or left is None or right is None:
        return None
    if relation != predicate:
        return (left, relation, right) if relation.count("/") == 1 else None
    return left, predicate.replace(".", "_"), right


def am_entity(iri: str) -> Entity | None:
    """Split a name that consists of a type, a hyphen and a number."""
    name = iri.removeprefix(_AM)
    if name == iri or "/" in name:
        return None
    parts = name.split("-")
    return (parts[0], parts[1]) if len(parts) == 2 else ("TYPE", name)


def am(subject: str, predicate: str, target: str, kind: str) -> Fact | None:
    """Convert a triple; the category to predict and the material of an object are omitted."""
    left, right = am_entity(subject), am_entity(target) if kind == "<" else None
    if predicate in (f"{_AM}objectCategory", f"{_AM}material") or left is None or right is None:
        return None
    return left, predicate.removeprefix(_AM).replace(".", "_"), right


ENTITIES = {"aifb": aifb_entity, "mutag": mutag_entity, "bgs": bgs_entity, "am": am_entity}
