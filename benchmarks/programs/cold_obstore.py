"""A cold start up to the first session, with obstore and json. Arguments: endpoint, bucket, key."""

import json
import sys

import obstore
from obstore.store import S3Store

store = S3Store(
    sys.argv[2],
    endpoint=sys.argv[1],
    virtual_hosted_style_request=False,
    client_options={"allow_http": True},
)
document = json.loads(bytes(obstore.get(store, sys.argv[3]).bytes()))
assert document["messages"]
