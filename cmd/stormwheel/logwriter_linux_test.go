package main

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
	"golang.org/x/sys/unix"
)

// full is a pipe that nobody reads, and that takes no byte more.
func full(t *testing.T) *os.File {
	t.Helper()
	w, _ := unread(t)
	size, err := unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, os.Getpagesize())
	if err == nil {
		_, err = w.Write(make([]byte, size))
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// The reader of the log stops reading, and stays: heartbeats are answered, and the node drains.
func TestANodeWhoseLogIsNotReadServesAndDrains(t *testing.T) {
	n := ready(t, startIn(t, func(cmd *exec.Cmd) { cmd.Stderr = full(t) }, os.Args[0],
		"serve", "--listen", "127.0.0.1:0", "--alternates", "127.0.0.1:9", "--drain-grace", "0", "--log-level", "debug"))
	p := dial(t, n.listen)
	p.join()
	bad := dial(t, n.listen)
	bad.write([]byte("GET / HTTP/1.1\r\n\r\n"), nil)
	p.write(codec.AppendPing(nil, 7, 0), nil)
	if f := p.next(); f.Type != codec.Pong {
		t.Fatalf("PING is answered by %v", f.Type)
	}
	n.signal(syscall.SIGTERM)
	if f := p.next(); f.Type != codec.GoAway {
		t.Errorf("the client is sent %v, want GOAWAY", f.Type)
	}
	p.write(codec.AppendBye(nil), nil)
	if code, _ := n.exit(); code != 0 {
		t.Errorf("%v, want exit 0", n.cmd.ProcessState)
	}
}

// An error whose words nobody reads ends the command all the same.
func TestAnErrorThatIsNotReadEndsTheCommand(t *testing.T) {
	p := startIn(t, func(cmd *exec.Cmd) { cmd.Stderr = full(t) }, os.Args[0], "serve", "--listen", "nowhere")
	if code, _ := p.exit(); code == 0 {
		t.Errorf("%v, want an error", p.cmd.ProcessState)
	}
}
