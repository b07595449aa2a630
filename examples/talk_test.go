package examples

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/server"
)

// messenger is a node that carries messages. It returns its address.
func messenger(t *testing.T) string {
	t.Helper()
	store := messaging.NewMemory(messaging.Bounds{})
	hub, err := messaging.New(messaging.Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Config{Listen: "127.0.0.1:0", Handler: hub.Handler()})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(hub.Start(srv), srv.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		_ = srv.Stop(now)
		_ = hub.Close(now)
		_ = store.Close()
	})
	return srv.Addr()
}

// talker runs examples/talk; said are the lines that it shows.
func talker(t *testing.T, addr, id, to string) (in io.WriteCloser, said <-chan string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(built, "talk"), "-server", addr, "-id", id, "-to", to)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 100)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
		_ = cmd.Wait()
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	return in, lines
}

func TestTalk(t *testing.T) {
	addr := messenger(t)
	alice, aliceSees := talker(t, addr, "alice", "bob")
	want := func(who <-chan string, line string) {
		t.Helper()
		if got := next(t, who); got != line {
			t.Errorf("got %q, want %q", got, line)
		}
	}
	_, _ = io.WriteString(alice, "are you there?\n")
	want(aliceSees, "  held")
	bob, bobSees := talker(t, addr, "bob", "alice")
	want(bobSees, "< alice: are you there?")
	want(aliceSees, "  bob has what you sent before")
	_, _ = io.WriteString(bob, "now I am\n")
	want(aliceSees, "< bob: now I am")
	want(bobSees, "  delivered")
}
