/**
 * The program of the process from which a Python tool's starts are forked, run as `python -c`. It loads modules once and
 * forks for each request; the child then is what a start of its own would be at its first line: its folder, environment,
 * arguments, standard streams, first place of modules and `__main__`, in a session of its own. It ends with its standard
 * input, which the gate holds, and the tool with it. A string, because the gate is one bundled file.
 *
 * Its arguments are the first place of modules (or `find:` and the name of a console script whose folder that is) and
 * JSON, {modules, root}. Lines of JSON to it: {id, script | module, args, cwd, set, unset, output}; `set` and `unset` are
 * the variables in which the start differs from the server's own, `output` is the path of a Unix socket. Lines from it, on
 * descriptor 3: {ready: true, executable, script} or {unfit: reason} once; {id, pid} from a child that is prepared and
 * connected, and waits there for one byte before it runs anything; {id, code} or {id, signal} when it has ended.
 */
export const forkServerProgram = `
import sys
def first_place(place):
    import os
    script = None
    if place.startswith("find:"):
        found = (os.path.join(folder, place[5:]) for folder in os.environ.get("PATH", "").split(":"))
        script = next((file for file in found if os.access(file, os.X_OK)), "")
        place = os.path.dirname(os.path.realpath(script))
    if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
        sys.path[0] = place
    return script
script = first_place(sys.argv[1])
import gc, json, os, select, signal, socket, time, types
from importlib.util import find_spec
from importlib.metadata import entry_points

def answer(**fields):
    os.write(3, (json.dumps(fields) + "\\n").encode())

def load(modules, root):
    # A plugin of Alembic's is anybody's code.
    try:
        plugins = list(entry_points(group="alembic.plugins"))
    except TypeError:
        plugins = list(entry_points().get("alembic.plugins", ()))
    if plugins:
        return "alembic has plugins"
    for name in modules:
        # Half an import may not be what a start of its own would find.
        try:
            if find_spec(name) is None:
                continue
        except ModuleNotFoundError:
            continue
        try:
            __import__(name)
        except BaseException as error:
            return name + ": " + repr(error)
    # A thread does not live on in a child, and whoever traces the program wants to see its start.
    if len(os.listdir("/proc/self/task")) > 1:
        return "a module starts threads"
    monitoring = getattr(sys, "monitoring", None)
    if sys.gettrace() or sys.getprofile() or monitoring and any(monitoring.get_tool(each) for each in range(6)):
        return "the interpreter is traced"
    own = os.path.dirname(os.__file__)
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if name in ("sitecustomize", "usercustomize") and os.path.dirname(file) != own:
            return "the interpreter is customized by " + file
        if file.startswith(root + "/") and not file.startswith(sys.prefix + "/"):
            return file + " is the project's own"

def serve():
    wake, waker = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    text = b""
    ids = {}
    while True:
        ready = select.select([0, wake], [], [])[0]
        if wake in ready:
            os.read(wake, 4096)
            reap(ids)
        if 0 not in ready:
            continue
        chunk = os.read(0, 65536)
        if not chunk:
            end(ids)
        *lines, text = (text + chunk).split(b"\\n")
        for line in lines:
            request = json.loads(line)
            try:
                pid = os.fork()
            except OSError:
                answer(id=request["id"], code=1)
                continue
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                os.close(wake)
                os.close(waker)
                return request
            ids[pid] = request["id"]

def reap(ids):
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        how = {"signal": os.WTERMSIG(status)} if os.WIFSIGNALED(status) else {"code": os.WEXITSTATUS(status)}
        try:
            answer(id=ids.pop(pid, None), **how)
        except OSError:
            pass

def end(ids):
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in ids:
            try:
                os.killpg(pid, number)
            except OSError:
                pass
        until = time.monotonic() + 3
        while ids and time.monotonic() < until:
            time.sleep(0.02)
            reap(ids)
    os._exit(0)

def become(id, cwd, set, unset, output, args, script=None, module=None):
    os.setsid()
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stream.connect(output)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.chdir(cwd.encode())
    for name in unset:
        os.environb.pop(name.encode(), None)
    for name, value in set.items():
        os.environb[name.encode()] = value.encode()
    words = ["-m" if script is None else os.fsdecode(script.encode()), *(os.fsdecode(word.encode()) for word in args)]
    if hasattr(sys, "orig_argv"):
        begin = sys.orig_argv[:sys.orig_argv.index("-c")]
        sys.orig_argv[:] = [*begin, *(words if script else ["-m", module, *words[1:]])]
    sys.argv[:] = words
    answer(id=id, pid=os.getpid())
    if not stream.recv(1):
        os._exit(1)
    os.dup2(stream.fileno(), 1)
    os.dup2(stream.fileno(), 2)
    stream.close()
    os.close(3)

def run(module=None, **_):
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    main.__builtins__ = __builtins__
    if module is not None:
        import runpy
        return runpy._run_module_as_main(module)
    main.__file__ = sys.argv[0]
    with open(sys.argv[0], "rb") as file:
        code = compile(file.read(), sys.argv[0], "exec", dont_inherit=True)
    exec(code, main.__dict__)

unfit = load(**json.loads(sys.argv[2]))
sys.stdout.flush()
sys.stderr.flush()
if unfit:
    answer(unfit=unfit)
    os._exit(0)
gc.collect()
gc.freeze()
answer(ready=True, executable=sys.executable, script=script)
request = serve()
try:
    become(**request)
except BaseException:
    # Nothing of the program has run.
    os._exit(1)
try:
    run(**request)
except (SystemExit, KeyboardInterrupt):
    raise
except BaseException as error:
    # As it would be told without these frames.
    error = error.with_traceback(error.__traceback__.tb_next.tb_next)
    sys.excepthook(type(error), error, error.__traceback__)
    sys.exit(1)
`;
