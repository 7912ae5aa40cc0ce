"""A cold start up to the first document. Arguments: the URL of the store, the key of the document."""

import json
import sys

from sessionbucket import open_documents

with open_documents(sys.argv[1], "cold") as documents:
    found = documents.get(sys.argv[2])
assert json.loads(found.body)["messages"]
