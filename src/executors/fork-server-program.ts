/**
 * The program of the process from which a Python tool's starts are forked, run as `python -c`. It loads modules once and
 * forks for each request; the child then is what a start of its own would be at its first line: its folder, environment,
 * arguments, standard streams, first place of modules and `__main__`, in a session of its own. It ends with its standard
 * input, which the gate holds. A string, because the gate is one bundled file.
 *
 * Its argument is JSON, {modules, firstPlace}; lines of JSON to it: {id, script | module, args, cwd, env, output}, output
 * being the path of a Unix socket. Lines from it: {ready: true} or {unfit: reason} once; {id, pid} from the child once it is
 * connected, before it runs anything; {id, code} or {id, signal} when it has ended.
 */
export const forkServerProgram = `
import gc, json, os, select, signal, socket, sys, time, types
from importlib.util import find_spec

def answer(**fields):
    os.write(1, (json.dumps(fields) + "\\n").encode())

def load(modules, firstPlace):
    if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
        sys.path[0] = firstPlace
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
    if sys.gettrace() or sys.getprofile():
        return "the interpreter is traced"

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
            pid = os.fork()
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
            answer(id=ids.pop(pid), **how)
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

def become(id, cwd, env, output, **_):
    os.setsid()
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stream.connect(output)
    answer(id=id, pid=os.getpid())
    os.dup2(stream.fileno(), 1)
    os.dup2(stream.fileno(), 2)
    stream.close()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)

def run(args, script=None, module=None, **_):
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    main.__builtins__ = __builtins__
    if module is not None:
        import runpy
        sys.argv[:] = ["-m", *args]
        return runpy._run_module_as_main(module)
    sys.argv[:] = [script, *args]
    main.__file__ = script
    with open(script, "rb") as file:
        code = compile(file.read(), script, "exec", dont_inherit=True)
    exec(code, main.__dict__)

unfit = load(**json.loads(sys.argv[1]))
if unfit:
    answer(unfit=unfit)
    os._exit(0)
gc.collect()
gc.freeze()
answer(ready=True)
request = serve()
become(**request)
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
