package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What arrives while somebody types comes above the line, which is drawn again whole.
func TestWhatArrivesDoesNotTearTheLine(t *testing.T) {
	addr := hubNode(t, "127.0.0.1:0", "").Addr()
	env := []string{"XDG_STATE_HOME=" + t.TempDir()}
	p := terminalRun(t, env, os.Args[0], "connect", "--chat", "--server", addr, "--id", "alice", "--to", "bob")
	p.until("connected to node n")
	p.until("bob > ")
	p.typed("half a li")
	p.until("half a li")
	before := len(p.shown.String())
	if code, _ := piped(t, chatter(t, t.TempDir(), addr, "bob", "--to", "alice"), "hey\n"); code != 0 {
		t.Fatalf("exit %d", code)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("shown: %q", p.shown.String())
		}
	})
	until(t, "the line is drawn again", func() bool {
		_, after, arrived := strings.Cut(p.shown.String()[before:], "bob: hey")
		return arrived && strings.Contains(strings.ReplaceAll(after, "\x1b[0K", ""), "bob > half a li") // it clears what is behind the prompt
	})
	p.typed("ne\r")
	p.until(" bob: half a line")
	p.typed(":ro\t\r") // completed
	p.until("  none")
	p.typed(":join tea\r")
	p.until("[tea] > ")
	p.typed("\x1b[A\x1b[A\r") // the line before the latest: :rooms
	p.until("  tea")
	p.typed(":q\r")
	<-p.done
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit %d: %q", code, p.shown.String())
	}
	now, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS)
	if err != nil || *now != *p.before {
		t.Errorf("the modes of the terminal were %+v, are %+v, %v", *p.before, now, err)
	}
}

func TestCtrlCLeavesTheChatAndGivesTheTerminalBack(t *testing.T) {
	p := terminalRun(t, []string{"XDG_STATE_HOME=" + t.TempDir()}, os.Args[0], "connect", "--chat", "--server", "127.0.0.1:1", "--id", "alice")
	p.until("no session at")
	p.typed("text\x03\x03")
	<-p.done
	now, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS)
	if code := p.cmd.ProcessState.ExitCode(); code != 0 || err != nil || *now != *p.before {
		t.Errorf("exit %d, the modes of the terminal were %+v, are %+v, %v", code, *p.before, now, err)
	}
}

// The editor's time for a paste does not grow with the square of its length: these would take minutes.
func TestLongPastesAreTakenAtOnce(t *testing.T) {
	t.Parallel() // it waits most of the time
	addr := hubNode(t, "127.0.0.1:0", "").Addr()
	p := terminalRun(t, []string{"XDG_STATE_HOME=" + t.TempDir()}, os.Args[0], "connect", "--chat", "--server", addr, "--id", "alice", "--to", "bob")
	p.until("bob > ")
	paste := strings.Repeat("pasted ", 8000)
	for range 4 {
		p.typed(paste + "\x03") // Ctrl-C is heard, and clears the line
	}
	p.typed(paste + "to the end\r:rooms\r")
	p.until("  · bob: pasted pasted pasted")
	p.until("  none")
	p.typed(":q!\r")
	<-p.done
}

func TestTheHistoryIsKeptForItsOwnerOnly(t *testing.T) {
	addr := hubNode(t, "127.0.0.1:0", "").Addr()
	state := t.TempDir()
	file := filepath.Join(state, "stormwheel", "chat-ci")
	piped(t, chatter(t, state, addr, "ci", "--to", "bob"), "from a script\n")
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("what a script says is kept: %v", err)
	}
	typed := func(want string, lines ...string) {
		t.Helper()
		p := terminalRun(t, []string{"XDG_STATE_HOME=" + state}, os.Args[0], append([]string{"connect", "--server", addr, "--id", "ci", "--to", "bob"}, lines[1:]...)...)
		p.until("bob > ")
		p.typed(lines[0] + "\r")
		p.until(want)
		p.typed(":q!\r")
		<-p.done
	}
	typed("  · bob: remember me", "remember me")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file is %v, %v", info, err)
	}
	typed("> bob: remember me", ":q REMEMBER")
	typed("* remember is not in the history", ":q remember", "--no-history")
}
