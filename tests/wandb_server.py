"""A W&B server for tests: it runs on this machine, answers W&B's own clients, and keeps all that they send.

It knows the GraphQL operations of `wandb.init` and its artifacts, of resuming, of sweeps and agents, and of saved views
and reports; files come by PUT, history by the file stream. An operation that it does not know is answered with nothing
and noted in `unknown`, which a test can look at: W&B's clients may hang or crash on such an answer.
"""

import base64
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import yaml

TIME = "2026-01-01T00:00:00"


@dataclass
class ServedRun:
    """A run as the server has it.

    Attributes:
      fields: what the client said of it last: displayName, groupName, jobType, tags, sweep, program ...
      config: its settings, without W&B's own.
      rows: the history, by row number.
      summary: the last summary.
      files: what was uploaded, by name.
      exits: the exit code of each leg that ended.
    """

    id: str
    entity: str
    project: str
    fields: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    exits: list[int] = field(default_factory=list)

    @property
    def history(self) -> list[dict[str, Any]]:
        """The rows in order."""
        return [self.rows[number] for number in sorted(self.rows)]


@dataclass
class ServedArtifact:
    """An artifact as the server has it; `files` are its entries with their contents."""

    id: str
    type: str
    name: str
    run: str
    aliases: list[str]
    manifest: dict[str, Any] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    committed: bool = False

    @property
    def files(self) -> dict[str, bytes]:
        return {path: self.contents[path] for path in self.manifest.get("contents", {}) if path in self.contents}


@dataclass
class ServedSweep:
    """A sweep as the server has it; `queue` are the points that agents still get."""

    name: str
    project: str
    config: dict[str, Any]
    queue: list[dict[str, Any]]
    state: str = "PENDING"
    given: list[str] = field(default_factory=list)


class WandbServer:
    """The server; a context manager that listens while it is open.

    Args:
      points: the settings that agents get one after the other, for every sweep; then they are told to exit.
      entity: whose the key is.
      projects: those that exist; more come with runs, sweeps and `CreateProject`.

    Attributes:
      operations: every GraphQL operation with its variables, in the order they came.
      unknown: the names of those that it could not answer.
      keys: the API keys that were sent.
      refuse: answer 401 to everything, as for a wrong key.
      errors: operations that are refused, with the reason.
      stopping: runs that their agents are told to stop once they have logged something.
    """

    def __init__(
        self, points: Sequence[Mapping[str, Any]] = (), entity: str = "lab", projects: Sequence[str] = ()
    ) -> None:
        self.points, self.entity, self.projects = [dict(point) for point in points], entity, list(projects)
        self.runs: dict[str, ServedRun] = {}
        self.artifacts: dict[str, ServedArtifact] = {}
        self.sweeps: dict[str, ServedSweep] = {}
        self.agents: dict[str, ServedSweep] = {}
        self.views: dict[str, dict[str, Any]] = {}
        self.operations: list[tuple[str, dict[str, Any]]] = []
        self.unknown: list[str] = []
        self.keys: set[str] = set()
        self.refuse = False
        self.errors: dict[str, str] = {}
        self.stopping: set[str] = set()
        self._lock = threading.RLock()
        self._http = _Http(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """The variables of every request for an operation."""
        return [variables for name, variables in self.operations if name == operation]

    # What comes in

    def graphql(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The reply to an operation."""
        found = re.search(r"(?:query|mutation)\s+(\w+)", query)
        name = found.group(1) if found else query[:40]
        answer: Callable[[dict[str, Any]], dict[str, Any]] | None = getattr(self, f"_{_snake(name)}", None)
        with self._lock:
            self.operations.append((name, variables))
            if name in self.errors:
                return {"data": None, "errors": [{"message": self.errors[name], "path": [name]}]}
            if answer is None:
                self.unknown.append(name)
                return {"data": {}}
            return {"data": answer(variables)}

    def stream(self, run: ServedRun, body: Mapping[str, Any]) -> None:
        """Take lines of history and summary, and the end of a leg."""
        with self._lock:
            for name, chunk in (body.get("files") or {}).items():
                if name == "wandb-history.jsonl":
                    rows = enumerate(chunk["content"], start=chunk["offset"])
                    run.rows.update({number: json.loads(line) for number, line in rows})
                if name == "wandb-summary.json" and chunk["content"]:
                    run.summary = json.loads(chunk["content"][-1])
            if body.get("complete"):
                run.exits.append(body["exitcode"])

    def upload(self, path: str, content: bytes) -> None:
        """Take a file: `runs/ID/NAME`, `manifests/ID`, or `artifacts/ID/NAME`."""
        kind, owner, *rest = path.split("/")
        with self._lock:
            if kind == "runs":
                self.runs[owner].files["/".join(rest)] = content
            elif kind == "manifests":
                self.artifacts[owner].manifest = json.loads(content)
            else:
                self.artifacts[owner].contents["/".join(rest)] = content

    def _project(self, name: str) -> dict[str, Any]:
        if name not in self.projects:
            self.projects.append(name)
        return {
            "__typename": "Project",
            "id": f"project-{name}",
            "internalId": str(self.projects.index(name) + 1),
            "name": name,
            "entityName": self.entity,
            "entity": {"id": "entity", "name": self.entity},
            "createdAt": TIME,
            "isBenchmark": False,
            "user": None,
        }

    # Who asks, and what there is

    def _viewer(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        viewer = {"id": "user", "name": "user", "username": "user", "email": "user@localhost", "admin": False}
        nothing: dict[str, Any] = {"edges": []}
        teams = {"edges": [{"node": {"name": self.entity}}]}
        more = {"flags": "{}", "entity": self.entity, "deletedAt": None, "apiKeys": nothing, "teams": teams}
        return {"viewer": {**viewer, **more}}

    _get_viewer = _get_default_entity = _viewer

    def _server_features_query(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        return {"serverInfo": {"features": []}}

    def _xx_hash_digests_enabled(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        return {"entity": {"xxhashDigestsEnabled": False}}

    def _organization_core_weave_organization_id(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        return {"entity": {"organization": None}}

    def _artifact_type(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        return {"project": {"artifact": None}}

    def _fetch_artifact_digest_algorithm(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        return {"project": {"artifactType": {"artifactCollection": None}}}

    def _get_projects(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        edges = [{"node": self._project(name)} for name in self.projects]
        return {"models": {"pageInfo": {"__typename": "PageInfo", **LAST_PAGE}, "edges": edges}}

    def _project_internal_id(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        name = variables["projectName"]
        return {"project": self._project(name) if name in self.projects else None}

    def _create_project(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        given = variables["input"]
        project = self._project(given.get("name") or given["modelName"])
        project = {**project, "description": "", "access": "PRIVATE", "views": "{}"}
        return {"result": {"project": project, "model": project, "inserted": True}}

    # Runs

    def _upsert_bucket(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        inserted = variables["name"] not in self.runs
        run = self.runs.setdefault(
            variables["name"],
            ServedRun(variables["name"], variables.get("entity") or self.entity, variables["project"]),
        )
        run.fields.update({key: value for key, value in variables.items() if value is not None})
        config = json.loads(variables.get("config") or "{}")
        run.config.update({key: entry["value"] for key, entry in config.items() if key != "_wandb"})
        bucket = {**self._bucket(run), "sweepName": run.fields.get("sweep"), "description": None}
        return {"upsertBucket": {"bucket": {**bucket, "project": self._project(run.project)}, "inserted": inserted}}

    def _bucket(self, run: ServedRun) -> dict[str, Any]:
        config = {key: {"desc": None, "value": value} for key, value in run.config.items()}
        name = run.fields.get("displayName") or run.id
        return {
            "id": f"run-{run.id}",
            "name": run.id,
            "displayName": name,
            "config": json.dumps(config),
            "historyLineCount": len(run.rows),
        }

    def _run_resume_status(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        model: dict[str, Any] = {**self._project(variables["project"]), "bucket": None}
        if run := self.runs.get(variables["name"]):
            tail = json.dumps([json.dumps(row) for row in run.history[-1:]])
            counts = {"logLineCount": 0, "eventsLineCount": 0, "historyTail": tail, "eventsTail": "[]"}
            more = {"summaryMetrics": json.dumps(run.summary), "tags": run.fields.get("tags", []), "notes": None}
            model["bucket"] = {**self._bucket(run), **counts, **more, "wandbConfig": json.dumps({"t": {}})}
        return {"model": model}

    def _create_run_files(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        run = variables["run"]
        files = [{"name": name, "uploadUrl": f"{self.url}/put/runs/{run}/{name}"} for name in variables["files"]]
        return {"createRunFiles": {"runID": f"run-{run}", "uploadHeaders": [], "files": files}}

    # Artifacts

    def _create_artifact(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        given = variables["input"]
        identity = f"artifact-{len(self.artifacts)}"
        names = given["artifactTypeName"], given["artifactCollectionName"], given["runName"]
        aliases = [alias["alias"] for alias in given.get("aliases") or []]
        self.artifacts[identity] = ServedArtifact(identity, *names, aliases)
        artifact = {"id": identity, "state": "PENDING", "artifactSequence": {"latestArtifact": None}}
        return {"createArtifact": {"artifact": artifact}}

    def _create_artifact_manifest(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        identity = variables["artifactID"]
        file = {"id": "file", "uploadUrl": f"{self.url}/put/manifests/{identity}", "uploadHeaders": []}
        return {"createArtifactManifest": {"artifactManifest": {"id": f"manifest-{identity}", "file": file}}}

    def _create_artifact_files(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        nodes = []
        for file in variables["input"]["artifactFiles"]:
            identity = file["artifactID"]
            url = f"{self.url}/put/artifacts/{identity}/{file['name']}"
            links = {"storagePath": url, "uploadUrl": url, "uploadHeaders": [], "uploadMultipartUrls": None}
            nodes.append({"node": {**links, "artifact": {"id": identity}}})
        return {"createArtifactFiles": {"files": {"edges": nodes}}}

    def _commit_artifact(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        identity = variables["artifactID"]
        self.artifacts[identity].committed = True
        return {"commitArtifact": {"artifact": {"id": identity, "digest": "0"}}}

    # Sweeps

    def _upsert_sweep(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        name = variables.get("id") or f"sweep{len(self.sweeps)}"
        if name not in self.sweeps:
            config = yaml.safe_load(variables["config"])
            queue = [dict(point) for point in self.points]
            self.sweeps[name] = ServedSweep(name, variables["projectName"], config, queue)
        self.sweeps[name].state = variables.get("state") or self.sweeps[name].state
        answer = {"id": name, "name": name, "project": self._project(self.sweeps[name].project)}
        return {"upsertSweep": {"sweep": answer, "configValidationWarnings": []}}

    def _sweep_with_runs(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        sweep = self.sweeps.get(variables["sweep"])
        if sweep is None:
            return {"project": {"sweep": None}}
        times = {"createdAt": TIME, "heartbeatAt": TIME, "updatedAt": TIME, "earlyStopJobRunning": False}
        rest = {"description": None, "bestLoss": None, "controller": None, "scheduler": None, "runs": {"edges": []}}
        about = {"id": sweep.name, "name": sweep.name, "method": sweep.config["method"], "state": "RUNNING"}
        return {"project": {"sweep": {**about, **times, **rest, "config": yaml.safe_dump(sweep.config)}}}

    def _create_agent(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        identity = f"agent-{len(self.agents)}"
        self.agents[identity] = self.sweeps[variables["sweep"]]
        return {"createAgent": {"agent": {"id": identity}}}

    def _heartbeat(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        sweep = self.agents[variables["id"]]
        commands: list[dict[str, Any]] = []
        at_work = [run for run, works in json.loads(variables["runState"]).items() if works]
        busy = bool(at_work)
        commands += [{"type": "stop", "run_id": run} for run in at_work if self._to_stop(run)]
        if sweep.queue and not busy:
            args = {name: {"value": value} for name, value in sweep.queue.pop(0).items()}
            run = f"{sweep.name}-{len(sweep.given)}"
            sweep.given.append(run)
            commands.append({"type": "run", "run_id": run, "program": sweep.config.get("program"), "args": args})
        elif not busy:
            commands.append({"type": "exit"})
        return {"agentHeartbeat": {"agent": {"id": variables["id"]}, "commands": json.dumps(commands)}}

    def _to_stop(self, run: str) -> bool:
        return run in self.stopping and run in self.runs and bool(self.runs[run].rows)

    # Views and reports

    def _upsert_view(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        inserted = variables.get("id") is None
        identity = variables.get("id") or base64.b64encode(f"View:{len(self.views)}".encode()).decode()
        view = {**self.views.get(identity, {}), **variables, "id": identity, "updatedAt": TIME, "createdAt": TIME}
        view["project"] = self._project(variables["projectName"])
        self.views[identity] = view
        return {"upsertView": {"view": view, "inserted": inserted}}

    _upsert_view2 = _upsert_view

    def _saved_views(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        if variables["project"] not in self.projects:
            return {"project": None}
        found = [view for view in self.views.values() if view["type"] == variables["type"]]
        return {"project": {"allViews": {"edges": [{"node": view} for view in found]}}}


class _Http(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that ends before it has its answer is no error of the test."""


LAST_PAGE = {"endCursor": None, "hasNextPage": False}


def _snake(name: str) -> str:
    """A method's name for an operation: CreateRunFiles is create_run_files, XXHash is xx_hash."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _handler(server: WandbServer) -> type[BaseHTTPRequestHandler]:
    """The class of request handlers that give all they get to a server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self._body()
            server.keys.add(self._key())
            if server.refuse:
                self._reply(401, {"errors": [{"message": "invalid API key"}]})
            elif self.path.startswith("/graphql"):
                content = json.loads(body)
                self._reply(200, server.graphql(content["query"], content.get("variables") or {}))
            elif self.path.endswith("/file_stream"):
                server.stream(server.runs[self.path.split("/")[-2]], json.loads(body))
                self._reply(200, {"exitcode": None, "limits": {}})
            else:
                if not self.path.startswith("/sdk/otel/"):  # how the client itself fares, which it sends unasked
                    server.unknown.append(self.path)
                self._reply(200, {})

        def do_PUT(self) -> None:
            server.upload(self.path.removeprefix("/put/"), self._body())
            self._reply(200, {})

        def do_GET(self) -> None:
            self._reply(200, {})

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def _key(self) -> str:
            basic = self.headers.get("Authorization", "").removeprefix("Basic ")
            return base64.b64decode(basic).decode().partition(":")[2]

        def _reply(self, status: int, content: Any) -> None:
            text = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *arguments: Any) -> None:
            """Nothing: what it did is in `operations`."""

    return Handler
