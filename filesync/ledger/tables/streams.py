"""The site, its exchanges, and what was sent and taken on each."""

from __future__ import annotations

import sqlalchemy as sa

from filesync.ledger.tables.shared import metadata

# Facts about the site itself: site id, the machine and folder it was installed on.
site = sa.Table(
    "site",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

# One row an exchange: both streams' positions stand here, so that one transaction moves them.
exchange = sa.Table(
    "exchange",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("state", sa.Text, nullable=False),  # offered · paired · paused · stopped
    sa.Column("stopped_why", sa.Text, nullable=False, default=""),
    sa.Column("stopped_since", sa.BigInteger, nullable=False, default=0),
    sa.Column("direction", sa.Text, nullable=False, default="both"),
    sa.Column("encrypt", sa.Boolean, nullable=False, default=True),
    sa.Column("outbox", sa.Text, nullable=False, default=""),  # "": the site's own folder
    sa.Column("inbox", sa.Text, nullable=False, default=""),
    sa.Column("partner_site", sa.Text, nullable=False, default=""),
    sa.Column("partner_name", sa.Text, nullable=False, default=""),
    sa.Column("partner_key", sa.Text, nullable=False, default=""),
    sa.Column("partner_recipient", sa.Text, nullable=False, default=""),
    sa.Column("recipient_since", sa.Text, nullable=False, default=""),  # mark of the bundle that said it; "": a person did
    sa.Column("words", sa.Text, nullable=False, default=""),
    # what we send
    sa.Column("out_stream", sa.Text, nullable=False),
    sa.Column("out_generation", sa.Integer, nullable=False),
    sa.Column("out_generation_id", sa.Text, nullable=False),
    sa.Column("out_seq", sa.BigInteger, nullable=False, default=0),  # the last number given
    sa.Column("out_id", sa.Text, nullable=False),  # its bundle id
    sa.Column("cursor", sa.Text),  # how far the tracker was read
    sa.Column("basis", sa.Text, nullable=False, default=""),  # digest of the rules and scope everything was read under
    # what we take
    sa.Column("in_stream", sa.Text, nullable=False, default=""),
    sa.Column("in_generation", sa.Integer, nullable=False, default=0),
    sa.Column("in_generation_id", sa.Text, nullable=False, default=""),
    sa.Column("in_seq", sa.BigInteger, nullable=False, default=0),  # the last one applied
    sa.Column("in_id", sa.Text, nullable=False, default=""),
    sa.Column("in_last_file", sa.Text, nullable=False, default=""),
    sa.Column("in_last_seen", sa.BigInteger, nullable=False, default=0),
    sa.Column("items_ok", sa.BigInteger, nullable=False, default=0),  # changes of the partner's decided here, ever
    sa.Column("items_conflict", sa.BigInteger, nullable=False, default=0),  # of these: met an edit of ours
    sa.Column("report_no", sa.BigInteger, nullable=False, default=0),  # our last position report
    sa.Column("report_taken", sa.BigInteger, nullable=False, default=0),  # the partner's last one
    sa.Column("report_told", sa.Text, nullable=False, default=""),  # digest of what our last report said
    sa.Column("report_at", sa.BigInteger, nullable=False, default=0),  # when it was told; at first, when we began to
    # what the partner said in its newest report, alone or in the head of a bundle
    sa.Column("report_digest", sa.Text, nullable=False, default=""),
    sa.Column("reports_late", sa.BigInteger, nullable=False, default=0),  # reports that came after a newer one
    sa.Column("acked_seq", sa.BigInteger, nullable=False, default=0),  # of our stream
    sa.Column("acked_id", sa.Text, nullable=False, default=""),
    sa.Column("acked_blobs", sa.BigInteger, nullable=False, default=0),  # up to here applied with all attachments
    sa.Column("wanted", sa.Text, nullable=False, default=""),  # what it asks for again, a JSON list; "": answered
    sa.Column("wanted_chunks", sa.Text, nullable=False, default=""),  # the same of chunks, by id
    sa.Column("refused", sa.Text, nullable=False, default=""),  # our bundles that it cannot take, a JSON list; "": none
    sa.Column("shortfalls", sa.Text, nullable=False, default=""),  # of ours, as it counts them, a JSON list; "": none
    sa.Column("partner_seq", sa.BigInteger, nullable=False, default=0),  # how far its own stream has come
    sa.Column("partner_since", sa.BigInteger, nullable=False, default=0),  # since when that is more than what is here
)

# Every bundle we ever numbered. `frozen` holds its bytes from the numbering transaction until the archive has the file.
bundle_out = sa.Table(
    "bundle_out",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("header", sa.LargeBinary),
    sa.Column("frozen", sa.LargeBinary),
    sa.Column("state", sa.Text, nullable=False),  # frozen · archived · published
    sa.Column("changes", sa.Integer, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("resent", sa.BigInteger, nullable=False, default=0),  # when it was last put into the outbox again
    sa.Column("pruned", sa.BigInteger, nullable=False, default=0),  # when its file was removed from archive/
)

# Every bundle we ever took: its id is kept for ever, it tells a duplicate from a fork.
bundle_in = sa.Table(
    "bundle_in",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("prev", sa.Text, nullable=False),
    sa.Column("file", sa.Text, nullable=False),  # its name in store/
    sa.Column("arrived_as", sa.Text, nullable=False),
    sa.Column("contract", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # received · applied
    sa.Column("changes", sa.Integer, nullable=False),
    sa.Column("decided", sa.LargeBinary, nullable=False, default=b""),  # a bit a change, while it is being applied
    sa.Column("received", sa.BigInteger, nullable=False),
    sa.Column("applied", sa.BigInteger, nullable=False, default=0),
    sa.Column("pruned", sa.BigInteger, nullable=False, default=0),  # when its file was removed from store/
)

# The bytes of attachments and long texts we sent and still can send again, by content. `chunks` is JSON of
# model.change.Chunk; none: the bytes are in the bundle `first`. A content that is in no bundle yet (first 0) is cut already,
# and its chunks are archived.
blob_out = sa.Table(
    "blob_out",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("chunks", sa.LargeBinary, nullable=False),
    sa.Column("first", sa.BigInteger, nullable=False, default=0),  # the first bundle whose changes name it
    sa.Column("last", sa.BigInteger, nullable=False, default=0),  # and the last one
)

# Chunks of ours in archive/. `blob` is empty until all of it is cut: a run that was cut off leaves such rows.
chunk_out = sa.Table(
    "chunk_out",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),  # of its bundle
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("blob", sa.Text, nullable=False, default=""),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),  # bytes of the piece
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("published", sa.Boolean, nullable=False, default=False),
    sa.Column("resent", sa.BigInteger, nullable=False, default=0),
)
sa.Index("chunk_out_blob", chunk_out.c.exchange, chunk_out.c.blob)

# Where the partner's bundles hold attachments and long texts: the last bundle that came with this content, and the place in
# its file.
blob_in = sa.Table(
    "blob_in",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("offset", sa.BigInteger, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
)

# The partner's chunks in store/. `spent`: when the change that they belong to was decided; 0: nothing was yet.
chunk_in = sa.Table(
    "chunk_in",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),  # of its bundle
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),  # of the piece
    sa.Column("size", sa.BigInteger, nullable=False),  # bytes of the piece
    sa.Column("offset", sa.BigInteger, nullable=False),  # where it stands in the file
    sa.Column("received", sa.BigInteger, nullable=False),
    sa.Column("spent", sa.BigInteger, nullable=False, default=0),
)

# Files in the inbox that have been looked at: the finally judged ones are skipped, the others are looked at again.
seen_file = sa.Table(
    "seen_file",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("mtime_ns", sa.BigInteger, nullable=False),
    sa.Column("ctime_ns", sa.BigInteger, nullable=False),
    sa.Column("inode", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),  # "arriving" or a final one
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
)

# Bundles that came and could not be taken, by the numbers that their names say: a hint, told to the partner.
refusal = sa.Table(
    "refusal",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
)

# Which key signs a stream from which place on. No rows: one key signed all of it (the partner's: exchange.partner_key).
stream_key = sa.Table(
    "stream_key",
    metadata,
    sa.Column("exchange", sa.Integer, sa.ForeignKey("exchange.id"), primary_key=True),
    sa.Column("ours", sa.Boolean, primary_key=True),
    sa.Column("since", sa.Text, primary_key=True),  # the mark of a bundle: generation, seq, 0
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("revoked", sa.Text, nullable=False, default=""),  # the mark from which on nothing signed with it is taken
)
