package executables_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// typed is "typed CODE ANSWER [<FILE] [>FILE] COMMAND...": the command runs at a terminal of its own, where
// a person types the answer and Enter, or the end of the input for EOF; it ends with the exit code. What the
// terminal showed is in the file tty, with what was typed. <FILE and >FILE are its stdin and stdout instead.
// The ttyin of testscript closes its terminal without waiting for what is still on its way.
func typed(ts *testscript.TestScript, _ bool, args []string) {
	code, answer, args := number(ts, args[0]), args[1]+"\n", args[2:]
	if answer == "EOF\n" {
		answer = "\x04"
	}
	controller, terminal := openTerminal(ts)
	defer controller.Close()
	defer terminal.Close()
	cmd := &exec.Cmd{Dir: ts.Getenv("WORK"), Stdin: terminal, Stdout: terminal, Stderr: terminal,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 2}} // 2 is of the child
	for ; strings.ContainsAny(args[0][:1], "<>"); args = args[1:] {
		path, mode := ts.MkAbs(args[0][1:]), os.O_RDONLY
		if args[0][0] == '>' {
			mode = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
		}
		f, err := os.OpenFile(path, mode, 0o600)
		ts.Check(err)
		defer f.Close()
		if args[0][0] == '>' {
			cmd.Stdout = f
		} else {
			cmd.Stdin = f
		}
	}
	for _, name := range []string{"PATH", "HOME", "ONE_LOCATION", "ONE_XMLRPC", "WORK"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	program, err := exec.LookPath(filepath.Join(strings.Split(ts.Getenv("PATH"), string(os.PathListSeparator))[0], args[0]))
	ts.Check(err)
	cmd.Path, cmd.Args = program, args
	_, err = controller.WriteString(answer)
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Check(terminal.Close()) // the end of the command is then the end of what there is to read
	const limit = 30 * time.Second
	stop := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	var shown bytes.Buffer
	if _, err := io.Copy(&shown, controller); !errors.Is(err, syscall.EIO) { // which is how a terminal ends
		ts.Check(err)
	}
	_ = cmd.Wait()
	ts.Check(os.WriteFile(filepath.Join(ts.Getenv("WORK"), "tty"), shown.Bytes(), 0o600))
	if got := cmd.ProcessState.ExitCode(); got != code {
		ts.Fatalf("%s ended with exit code %d, want %d:\n%s", strings.Join(args, " "), got, code, shown.String())
	}
}

// openTerminal makes a pseudo-terminal (pty(7)).
func openTerminal(ts *testscript.TestScript) (controller, terminal *os.File) {
	controller, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	ts.Check(err)
	ts.Check(unix.IoctlSetPointerInt(int(controller.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(controller.Fd()), unix.TIOCGPTN)
	ts.Check(err)
	terminal, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	ts.Check(err)
	return controller, terminal
}
