package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
	"golang.org/x/sys/unix"
)

// What a terminal is told when its other screen is entered and left, and its cursor shown.
const (
	altScreen   = "\x1b[?1049h"
	mainScreen  = "\x1b[?1049l"
	showsCursor = "\x1b[?25h"
)

// onTerminal is a run of the command on a terminal of its own.
type onTerminal struct {
	t      *testing.T
	cmd    *exec.Cmd
	master *os.File
	slave  *os.File
	before *unix.Termios
	shown  syncBuffer // all that was written to the terminal
	done   chan struct{}
}

// openTerminal returns both ends of a pseudo-terminal.
func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { slave.Close() })
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		t.Fatal(err)
	}
	return master, slave
}

// longHold lasts until it is ended.
var longHold = []string{"bench", "hold", "--spawn", "1", "--conns", "20", "--heartbeat", "500ms", "--timeout", "20s", "--duration", "10m"}

func startOnTerminal(t *testing.T, env []string, more ...string) *onTerminal {
	t.Helper()
	return terminalRun(t, env, os.Args[0], append(slices.Clone(longHold), more...)...)
}

// terminalRun runs a program on a terminal of its own.
func terminalRun(t *testing.T, env []string, name string, args ...string) *onTerminal {
	t.Helper()
	p := &onTerminal{t: t, done: make(chan struct{})}
	p.master, p.slave = openTerminal(t)
	var err error
	if p.before, err = unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS); err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command(name, args...)
	p.cmd.Env = append(append(os.Environ(), asCommand+"=1", "GORACE=atexit_sleep_ms=0", "TERM=xterm-256color", "LANG=C.UTF-8"), env...)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = p.slave, p.slave, p.slave
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := p.master.Read(b)
			p.shown.Write(b[:n])
			if err != nil {
				return
			}
		}
	}()
	go func() {
		_ = p.cmd.Wait() // ProcessState has it all
		close(p.done)
	}()
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); <-p.done })
	return p
}

// until waits until the terminal was shown text.
func (p *onTerminal) until(text string) {
	p.t.Helper()
	until(p.t, fmt.Sprintf("%q is shown", text), func() bool { return strings.Contains(p.shown.String(), text) })
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func (p *onTerminal) typed(keys string) {
	p.t.Helper()
	if _, err := p.master.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

// lastOfAll is what a test writes to a terminal behind the program's own words.
const lastOfAll = "(that was all)"

// exit waits for the end and returns the code and what was shown after the other screen was
// left.
func (p *onTerminal) exit() (code int, after string) {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Fatalf("still running; shown:\n%q", p.shown.String())
	}
	p.until(mainScreen)
	if _, err := p.slave.WriteString(lastOfAll); err != nil {
		p.t.Fatal(err)
	}
	p.until(lastOfAll) // and what the terminal held before it
	all, _, _ := strings.Cut(p.shown.String(), lastOfAll)
	if last := strings.LastIndex(all, altScreen); last < 0 || strings.LastIndex(all, mainScreen) < last {
		p.t.Errorf("the other screen was not entered, or not left: %q", all)
	}
	if strings.LastIndex(all, showsCursor) < strings.LastIndex(all, "\x1b[?25l") {
		p.t.Error("the cursor was left hidden")
	}
	now, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS)
	if err != nil {
		p.t.Fatal(err)
	}
	if *now != *p.before {
		p.t.Errorf("the modes of the terminal were %+v, are %+v", *p.before, *now)
	}
	return p.cmd.ProcessState.ExitCode(), all[strings.LastIndex(all, mainScreen):]
}

func TestEveryEndGivesTheTerminalBack(t *testing.T) {
	for _, tt := range []struct {
		name    string
		end     func(p *onTerminal)
		code    int
		summary bool
	}{
		{"q", func(p *onTerminal) { p.typed("q") }, result.ExitInterrupted, true},
		{"ctrl-c", func(p *onTerminal) { p.typed("\x03") }, result.ExitInterrupted, true},
		{"SIGINT", func(p *onTerminal) { p.signal(syscall.SIGINT) }, result.ExitInterrupted, true},
		{"SIGTERM", func(p *onTerminal) { p.signal(syscall.SIGTERM) }, result.ExitInterrupted, true},
		{"SIGHUP", func(p *onTerminal) { p.signal(syscall.SIGHUP) }, result.ExitInterrupted, true},
		{"two SIGTERM", func(p *onTerminal) { p.signal(syscall.SIGTERM); p.signal(syscall.SIGTERM) }, result.ExitInterrupted, false},
		{"two ctrl-c", func(p *onTerminal) { p.typed("\x03\x03") }, result.ExitInterrupted, false},
		{"SIGQUIT", func(p *onTerminal) { p.signal(syscall.SIGQUIT) }, 2, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.name == "SIGHUP" {
				heedsHangups(t)
			}
			t.Parallel()
			p := startOnTerminal(t, nil)
			p.until("20 clients are ready")
			p.until("p50")
			tt.end(p)
			code, after := p.exit()
			if !strings.HasPrefix(tt.name, "two ") && strings.Contains(after, "verdict: invalid") != tt.summary {
				t.Errorf("summary on the normal screen: want %v, it shows %q", tt.summary, after)
			}
			if tt.summary && !strings.Contains(after, "all 20 clients are ready") {
				t.Errorf("the events are not on the normal screen: %q", after)
			}
			if tt.name == "SIGQUIT" && !strings.Contains(after, "goroutine ") {
				t.Errorf("no stacks on the normal screen: %.200q", after)
			}
			if code != tt.code {
				t.Errorf("exit %d, want %d; shown %q", code, tt.code, after)
			}
		})
	}
}

func (p *onTerminal) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

func TestARunThatEndsByItselfShowsItsSummaryAfterTheView(t *testing.T) {
	p := startOnTerminal(t, nil, "--duration", "2s", "--threshold", "conns.end==20")
	code, after := p.exit()
	if !strings.Contains(after, "conns.end==20") || !strings.Contains(after, "verdict: ") || code != 0 && code != result.ExitInvalid {
		t.Errorf("exit %d, then %q", code, after)
	}
}

func TestResizesAndSuspensionsLeaveTheViewWhole(t *testing.T) {
	p := terminalRun(t, nil, "/bin/sh", append([]string{"-c", `set -m; "$0" "$@"; echo "suspended, $?"; fg`, os.Args[0]}, longHold...)...)
	p.until("20 clients are ready")
	if err := unix.IoctlSetWinsize(int(p.slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 120}); err != nil {
		t.Fatal(err)
	}
	p.until("so far") // the thresholds, for which there was no room
	p.typed("\x1a")
	p.until("suspended, ")
	if _, after, _ := strings.Cut(p.shown.String(), mainScreen); !strings.Contains(after, "suspended, ") {
		t.Errorf("the shell speaks on the other screen: %q", p.shown.String())
	}
	until(t, "the view returns", func() bool {
		_, after, _ := strings.Cut(p.shown.String(), "suspended, ")
		return strings.Contains(after, altScreen) && strings.Contains(after, "so far")
	})
	p.typed("q")
	if code, after := p.exit(); code != result.ExitInterrupted || !strings.Contains(after, "verdict: ") {
		t.Errorf("exit %d, %q", code, after)
	}
}

// Where nobody could wake it again, as in a container, Ctrl-Z does nothing.
func TestASuspensionThatCouldNotEndDoesNotBegin(t *testing.T) {
	p := startOnTerminal(t, nil)
	p.until("20 clients are ready")
	p.typed("\x1aq")
	if code, after := p.exit(); code != result.ExitInterrupted || !strings.Contains(after, "verdict: ") {
		t.Errorf("exit %d, %q", code, after)
	}
}

func TestOtherTerminalsGetLines(t *testing.T) {
	for _, tt := range []struct {
		name string
		env  []string
		args []string
	}{
		{"dumb", []string{"TERM=dumb"}, nil},
		{"no-tui", nil, []string{"--no-tui"}},
	} {
		p := startOnTerminal(t, tt.env, tt.args...)
		p.until("20 ready")
		p.signal(syscall.SIGTERM)
		<-p.done
		p.until("verdict: ")
		if shown := p.shown.String(); strings.Contains(shown, "\x1b") {
			t.Errorf("%s: lines with escape sequences: %q", tt.name, shown)
		}
	}
}

func TestNoColorHasNone(t *testing.T) {
	p := startOnTerminal(t, []string{"NO_COLOR=1"})
	p.until("20 clients are ready")
	p.typed("q")
	_, _ = p.exit()
	for _, color := range []string{"\x1b[3", "\x1b[9", ";3", "\x1b[38"} {
		for part := range strings.SplitSeq(p.shown.String(), "\x1b[") {
			sgr, _, found := strings.Cut(part, "m")
			if found && strings.Trim(sgr, "0123456789;") == "" && strings.HasPrefix("\x1b["+sgr, color) && sgr != "3" {
				t.Fatalf("a colour: %q", sgr)
			}
		}
	}
}

func TestQuietSaysNothingButErrors(t *testing.T) {
	p := stormwheel(t, smallHold("--quiet", "--threshold", "conns.end==99")...)
	code, out := p.exit()
	if r := resultOf(t, out); r.Conns.End != 100 {
		t.Errorf("result = %+v", r)
	}
	if said := p.stderr.String(); code == 0 || strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "stormwheel: ") {
		t.Errorf("exit %d; it said %q, want a line", code, said)
	}
}
