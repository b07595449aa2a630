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

// typist is an example at which somebody types.
type typist struct {
	io.WriteCloser               // what is typed
	said           <-chan string // the lines that it shows
	ended          <-chan error
}

// types runs an example that begins with its input.
func types(t *testing.T, name string, args ...string) *typist {
	t.Helper()
	cmd := exec.Command(filepath.Join(built, name), args...)
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
	ended := make(chan error, 1)
	go func() {
		defer close(ended)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
		ended <- cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		for range ended {
		}
	})
	return &typist{in, lines, ended}
}

func (p *typist) say(line string) { _, _ = io.WriteString(p, line+"\n") }

// hear expects the next line that it shows.
func (p *typist) hear(t *testing.T, line string) {
	t.Helper()
	if got := next(t, p.said); got != line {
		t.Errorf("got %q, want %q", got, line)
	}
}

func TestTalk(t *testing.T) {
	addr := messenger(t)
	alice := types(t, "talk", "-server", addr, "-id", "alice", "-to", "bob")
	alice.say("are you there?")
	alice.hear(t, "  held")
	bob := types(t, "talk", "-server", addr, "-id", "bob", "-to", "alice")
	bob.hear(t, "< alice: are you there?")
	alice.hear(t, "  bob has what you sent before")
	bob.say("now I am")
	alice.hear(t, "< bob: now I am")
	bob.hear(t, "  delivered")
}
