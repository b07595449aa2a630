package interop

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
)

// program is a program that must be installed, or the test is skipped.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// converse has a program be a client of a node: it says HELLO, and the node stops.
func converse(t *testing.T, argv ...string) {
	t.Helper()
	node, seen := startNode(t, webSockets())
	for i, a := range argv {
		if a == "URL" {
			argv[i] = "ws://" + node.Addr() + "/"
		}
	}
	argv = append(argv, hex.EncodeToString(hello("stranger")))
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	select {
	case is := <-seen:
		if is.by != server.TransportWebSocket {
			t.Errorf("it came by %v", is.by)
		}
	case <-time.After(patience):
		t.Fatal("no session")
	}
	// The node stops: GOAWAY and a close frame.
	go node.Stop(t.Context())
	text, err := io.ReadAll(out)
	if err := errors.Join(err, cmd.Wait()); err != nil {
		t.Fatalf("%v; it said %s", err, text)
	}
	var got []byte
	for line := range strings.Lines(string(text)) {
		if h, found := strings.CutPrefix(strings.TrimSpace(line), "message "); found {
			b, err := hex.DecodeString(h)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, b...)
		}
	}
	s := &stream{t: t, buf: got, next: func() ([]byte, error) { return nil, io.EOF }}
	s.want(codec.Welcome)
	s.want(codec.GoAway)
	if !bytes.Contains(text, []byte("closed 4202 stormwheel.1")) {
		t.Errorf("it said %s", text)
	}
}

func TestNodesOwnWebSocket(t *testing.T) {
	node := program(t, "node")
	if err := exec.Command(node, "--experimental-websocket", "-e", "if (typeof WebSocket === 'undefined') process.exit(1)").Run(); err != nil {
		t.Skip("this Node has no WebSocket: ", err)
	}
	converse(t, node, "--experimental-websocket", "testdata/client.js", "", "URL")
}

// STORMWHEEL_NPM_WS is where `npm install ws@8.23.0` has put it.
func TestNpmsWs(t *testing.T) {
	node := program(t, "node")
	path := os.Getenv("STORMWHEEL_NPM_WS")
	if path == "" {
		t.Skip("STORMWHEEL_NPM_WS does not say where npm's ws is")
	}
	converse(t, node, "testdata/client.js", path, "URL")
}

func TestPythonsWebsockets(t *testing.T) {
	python := program(t, "python3")
	for _, p := range []string{python, "/usr/bin/python3"} { // that of the distribution has its packages
		if exec.Command(p, "-c", "import websockets").Run() == nil {
			converse(t, p, "testdata/client.py", "URL")
			return
		}
	}
	t.Skip("python3-websockets is not installed")
}
