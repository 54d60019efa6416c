"""Checks the list of files of the wheel in argv[1] against its files, and that what has to be in it is."""

import base64
import csv
import hashlib
import io
import sys
import zipfile

with zipfile.ZipFile(sys.argv[1]) as wheel:
    files = {name: wheel.read(name) for name in wheel.namelist()}
assert len(files) == len(set(files))
(record,) = [name for name in files if name.endswith(".dist-info/RECORD")]
information = record.rpartition("/")[0]

listed = {}
for name, digest, size in csv.reader(io.StringIO(files[record].decode())):
    assert name not in listed, name
    listed[name] = (digest, size)
assert set(listed) == set(files), set(listed) ^ set(files)
assert listed.pop(record) == ("", "")
for name, (digest, size) in listed.items():
    right = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=").decode()
    assert (digest, size) == (f"sha256={right}", str(len(files[name]))), name

libraries = {name for name in files if ".so" in name}
assert libraries == {f"muster/{name}" for name in ("libmuster.so.1", "libjansson.so.4", "libsqlite3.so.0")}, libraries
assert "muster/py.typed" in files
assert b"Root-Is-Purelib: false" in files[f"{information}/WHEEL"]
for name, words in (("", b"Apache License"), (".libjansson4", b"Petri Lehtinen"), (".libsqlite3-0", b"public-domain")):
    assert words in files[f"{information}/licenses/LICENSE{name}"], name
