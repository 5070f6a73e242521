# SPDX-License-Identifier: LGPL-2.1-or-later
"""A checker for the part of JSON Schema that docs/schema/ uses. Stricter in one way: a key that the
schema does not name is a fault unless additionalProperties allows it, so that the documents cannot
fall behind the program."""

import json
import pathlib
import re

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
KNOWN = {"$schema", "$defs", "$ref", "title", "description", "type", "enum", "properties", "required",
         "items", "pattern", "minimum", "maximum", "additionalProperties"}


def is_type(value, name):
    if name in ("integer", "number"):
        return not isinstance(value, bool) and isinstance(value, int if name == "integer" else (int, float))
    return isinstance(value, TYPES[name])


class Schema:
    def __init__(self, path):
        self.folder = path.parent
        self.documents = {}
        self.name = path.name

    def load(self, name):
        if name not in self.documents:
            self.documents[name] = json.loads((self.folder / name).read_text())
        return self.documents[name]

    def resolve(self, reference):
        name, _, pointer = reference.partition("#/")
        node = self.load(name or self.name)
        for step in filter(None, pointer.split("/")):
            node = node[step]
        return node

    def faults(self, value):
        """A line for each thing in @value that the schema does not allow."""
        return list(self.check(value, self.load(self.name), "$"))

    def check(self, value, schema, where):
        unknown = set(schema) - KNOWN
        if unknown:
            yield f"{where}: the checker does not know {unknown}"
        if "$ref" in schema:
            name = schema["$ref"].partition("#")[0] or self.name
            there = Schema(self.folder / name)
            yield from there.check(value, there.resolve(schema["$ref"]), where)
            return
        types = schema.get("type")
        types = [types] if isinstance(types, str) else types
        if types and not any(is_type(value, name) for name in types):
            yield f"{where}: {value!r:.60} is not {' or '.join(types)}"
            return
        if "enum" in schema and value not in schema["enum"]:
            yield f"{where}: {value!r:.60} is not one of {schema['enum']}"
        if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
            yield f"{where}: {value!r:.60} does not match {schema['pattern']}"
        if is_type(value, "number"):
            if value < schema.get("minimum", value) or value > schema.get("maximum", value):
                yield f"{where}: {value} is out of range"
        if isinstance(value, list) and "items" in schema:
            for number, item in enumerate(value):
                yield from self.check(item, schema["items"], f"{where}[{number}]")
        if isinstance(value, dict):
            yield from self.check_object(value, schema, where)

    def check_object(self, value, schema, where):
        properties = schema.get("properties", {})
        for key in schema.get("required", []):
            if key not in value:
                yield f"{where}: {key} is missing"
        for key, item in value.items():
            rest = schema.get("additionalProperties", not properties)
            if key in properties:
                yield from self.check(item, properties[key], f"{where}.{key}")
            elif not rest:
                yield f"{where}: {key} is not in the schema"
            elif isinstance(rest, dict):
                yield from self.check(item, rest, f"{where}.{key}")


def faults(command, value):
    """What is wrong with a command's JSON, by docs/schema/COMMAND.json."""
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    return Schema(root / "docs" / "schema" / f"{command}.json").faults(value)
