"""The long-term memory of LangGraph: the items of a namespace, each one document."""

from __future__ import annotations

from sessionbucket import DocumentInfo, DocumentStore, SessionCorruptedError, decode_frame, decode_segment
from sessionbucket.web.messages import moment
from sessionbucket.web.threads.parts import data_block, without, words
from sessionbucket.web.threads.sections import Steps, unreadable
from sessionbucket.web.transcript import Step

_END = "%~"


def read_namespace(documents: DocumentStore, id: str, offset: int, limit: int) -> Steps | None:
    """The items in the order of their keys. Sends one LIST for each 1,000 items, and one GET for each item of the page."""
    rows: list[DocumentInfo] = []
    total = 0
    for info in documents.list(f"{id}/{_END}/"):
        if offset <= total < offset + limit:
            rows.append(info)
        total += 1
    found = documents.get_many([info.key for info in rows])
    steps = []
    for info, document in zip(rows, found, strict=True):
        segment = info.key.rpartition("/")[2]
        name = decode_segment(segment) or segment
        if document is None:
            steps.append(unreadable(name, "It was deleted meanwhile."))
            continue
        try:
            item = decode_frame(document.body, documents.full_key(info.key)).header
        except SessionCorruptedError as error:
            steps.append(unreadable(name, error))
            continue
        blocks = [data_block("Value", item.get("value"))]
        if rest := without(item, "namespace", "key", "value", "created_at", "updated_at"):
            blocks.append(data_block("Other members", rest))
        meta = [("created", words(item["created_at"]))] if item.get("created_at") else []
        at = moment(item.get("updated_at")) or info.updated_at
        steps.append(Step("memory", words(item.get("key")) or name, [*blocks], meta, at))
    return Steps(steps, total) if total else None
