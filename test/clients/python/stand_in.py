"""Stands in for the images that Runpod starts for its Python clients: `python stand_in.py [ARTIFACT]`.

Made with `runpod.serverless`, it follows what the clients send and accept:

- the SDK 2.0 in development: the source of the module comes with each job, or once for an API;
- the SDK 2.0 deployed: the functions lie in the artifact, and jobs carry named arguments;
- runpod-flash 1.x in development: the source of the function comes with each job, its arguments pickled.
"""

import asyncio
import base64
import contextlib
import hashlib
import importlib
import importlib.util
import inspect
import io
import json
import os
import sys
import tarfile
import tempfile
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import runpod


async def iterate(function, args, kwargs):
    """Whatever a function gives: the values of a generator, else its one result."""
    result = function(*args, **kwargs)
    if inspect.isasyncgen(result):
        async for value in result:
            yield True, value
    elif inspect.isgenerator(result):
        for value in result:
            yield True, value
    else:
        yield False, (await result if inspect.isawaitable(result) else result)


def load_source(source):
    """The module of a text, from a real file, once per text."""
    name = "live_" + hashlib.sha256(source.encode()).hexdigest()[:12]
    if name not in sys.modules:
        path = os.path.join(tempfile.gettempdir(), f"{name}.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(source)
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


def load_artifact(path):
    """Unpacks an artifact; returns what its manifest says of this worker's resource, and the decorated object."""
    folder = tempfile.mkdtemp(prefix="artifact-")
    with tarfile.open(path) as archive:
        archive.extractall(folder)
    with open(os.path.join(folder, "runpod_manifest.json"), encoding="utf-8") as file:
        manifest = json.load(file)
    sys.path.insert(0, folder)
    sys.path.append(os.path.join(folder, "env"))
    wanted = os.environ["FLASH_RESOURCE_NAME"]
    entry = next(one for one in manifest["resources"] if one["name"] == wanted)
    return entry, getattr(importlib.import_module(entry["module"]), entry["qualname"])


async def run_live(job):
    """Development with the SDK 2.0: one answer, or one per value of a generator."""
    request = job["input"]
    try:
        assert request["serialization_format"] == "json"
        function = getattr(load_source(request["function_code"]), request["function_name"]).__wrapped__
        async for is_stream, value in iterate(function, request["args"], request["kwargs"]):
            yield {"success": True, "json_result": value, **({"__stream__": True} if is_stream else {})}
    except Exception as error:
        yield {"success": False, "error": f"{error}\n{traceback.format_exc()}"}


def serve_function(function):
    """A deployed function: jobs carry its named arguments."""

    def arguments(job):
        return {name: value for name, value in job["input"].items() if name != "__empty"}

    async def stream(job):
        async for _, value in iterate(function, (), arguments(job)):
            yield value

    async def call(job):
        async for _, value in iterate(function, (), arguments(job)):
            return value

    streams = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
    runpod.serverless.start({"handler": stream if streams else call, "return_aggregate_stream": True})


async def run_pickled(job):
    """Development with runpod-flash 1.x."""
    import cloudpickle

    request = job["input"]
    output = io.StringIO()

    def read(text):
        return cloudpickle.loads(base64.b64decode(text))

    try:
        with contextlib.redirect_stdout(output):
            names = {}
            exec(request["function_code"], names)
            args = [read(text) for text in request["args"]]
            kwargs = {name: read(text) for name, text in request["kwargs"].items()}
            result = names[request["function_name"]](*args, **kwargs)
            value = await result if inspect.isawaitable(result) else result
        text = base64.b64encode(cloudpickle.dumps(value)).decode()
        return {"success": True, "result": text, "json_result": None, "error": None, "stdout": output.getvalue()}
    except Exception as error:
        return {
            "success": False,
            "error": f"{error}\n{traceback.format_exc()}",
            "stdout": output.getvalue(),
        }


class Routes:
    """The routes of an API class, which in development comes after the server has started."""

    def __init__(self):
        self.handlers = {}

    def install(self, handle):
        instance = handle.__wrapped__()
        if handle._init_name:
            getattr(instance, handle._init_name)()
        self.handlers = {
            (route.method, route.path): getattr(instance, route.handler_name) for route in handle.spec.routes
        }

    def answer(self, method, path, body):
        if path == "/ping":
            return 200, {"status": "healthy"}
        if (method, path) == ("POST", "/_runpod/sync"):
            self.install(find_resource(load_source(body["source"]), body["resource"]))
            return 200, {"synced": body["resource"]}
        handler = self.handlers.get((method, path))
        if handler is None:
            return 404, {"detail": "Not Found"}
        try:
            result = handler() if body is None else handler(body)
            return 200, asyncio.run(result) if inspect.iscoroutine(result) else result
        except Exception as error:
            return 500, {"detail": str(error)}


def find_resource(module, name):
    handles = [value for value in vars(module).values() if getattr(value, "spec", None)]
    return next(handle for handle in handles if handle.spec.name == name)


def serve_routes(routes):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_request(self):
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, value = routes.answer(self.command, self.path.split("?")[0], body)
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_request

        def log_message(self, *_):
            pass

    ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()


def main(artifact=None):
    is_api = "RUNPOD_WEBHOOK_GET_JOB" not in os.environ
    if "FLASH_RESOURCE_NAME" in os.environ:
        _, resource = load_artifact(artifact)
        if not is_api:
            return serve_function(resource.__wrapped__)
        routes = Routes()
        routes.install(resource)
        return serve_routes(routes)
    if is_api:
        return serve_routes(Routes())
    handler = run_live if "RUNPOD_DEV_APP" in os.environ else run_pickled
    return runpod.serverless.start({"handler": handler, "return_aggregate_stream": True})


main(*sys.argv[1:])
