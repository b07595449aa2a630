package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

// rig is a node in memory with a hub, and the handler for both.
type rig struct {
	t    *testing.T
	hub  *messaging.Hub
	node *servertest.Node
	h    http.Handler
}

// inRig runs a test within a bubble.
func inRig(t *testing.T, cfg Config, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store := messaging.NewMemory(messaging.Bounds{UserRecords: 3})
		hub, err := messaging.New(messaging.Config{Store: store})
		if err != nil {
			t.Fatal(err)
		}
		r := &rig{t: t, hub: hub}
		t.Cleanup(r.stop) // behind the node's
		r.node = servertest.New(t, server.Config{Handler: hub.Handler()})
		if err := hub.Start(r.node.Server); err != nil {
			t.Fatal(err)
		}
		r.h = New(hub, r.node.Server, cfg)
		test(r)
	})
}

func (r *rig) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = r.hub.Close(ctx)
}

// asker changes a request before it is sent.
type asker func(*http.Request)

func header(name, value string) asker { return func(r *http.Request) { r.Header.Add(name, value) } }

func key(text string) asker { return header("Idempotency-Key", text) }

// answer is what a request was answered.
type answer struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	body   string
}

// ask sends a request to the handler, waits for the answer, and holds both to openapi.yaml.
func (r *rig) ask(method, path, body string, change ...asker) answer {
	r.t.Helper()
	return r.begin(method, path, body, change...)()
}

// begin is ask in two steps: the answer is waited for by the function that it returns.
func (r *rig) begin(method, path, body string, change ...asker) (wait func() answer) {
	w, ended := httptest.NewRecorder(), make(chan struct{})
	go func() {
		defer close(ended)
		r.h.ServeHTTP(w, newRequest(method, path, body, change...))
	}()
	synctest.Wait()
	return func() answer {
		r.t.Helper()
		a := answer{t: r.t, what: method + " " + path + " " + body}
		select {
		case <-ended:
		case <-time.After(time.Minute):
			r.t.Fatalf("%s: no answer", a.what)
		}
		a.status, a.header, a.body = w.Code, w.Header(), w.Body.String()
		conforms(r.t, newRequest(method, path, body, change...), body, a)
		return a
	}
}

func newRequest(method, path, body string, change ...asker) *http.Request {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Host, req.RemoteAddr = "localhost", "127.0.0.1:1024"
	if method == "POST" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, c := range change {
		c(req)
	}
	return req
}

// is holds an answer to a status and to what its body has in it.
func (a answer) is(status int, parts ...string) answer {
	a.t.Helper()
	for _, part := range parts {
		if !strings.Contains(a.body, part) {
			a.t.Errorf("%s: %s lacks %s", a.what, a.body, part)
		}
	}
	if a.status != status {
		a.t.Errorf("%s: status %d, want %d: %s", a.what, a.status, status, a.body)
	}
	return a
}

// fails holds an answer to a code and its status, and to a part of its sentence.
func (a answer) fails(code string, sentence ...string) {
	a.t.Helper()
	var got struct{ Error Error }
	a.read(&got)
	if got.Error.Code != code || a.status != statuses[code] {
		a.t.Errorf("%s: status %d, %s; want %s", a.what, a.status, a.body, code)
	}
	for _, part := range sentence {
		if !strings.Contains(got.Error.Message, part) {
			a.t.Errorf("%s: %q lacks %q", a.what, got.Error.Message, part)
		}
	}
	if again := a.header.Get("Retry-After") != ""; again != got.Error.Again {
		a.t.Errorf("%s: again %v, Retry-After %q", a.what, got.Error.Again, a.header.Get("Retry-After"))
	}
	if m := got.Error.Message; !strings.HasSuffix(m, ".") || strings.Contains(m, "%!") || m[:1] != strings.ToUpper(m[:1]) {
		a.t.Errorf("%s: %q is no sentence", a.what, m)
	}
}

func (a answer) read(into any) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		a.t.Fatalf("%s: status %d: %s: %v", a.what, a.status, a.body, err)
	}
}

// message is a DELIVER that a client got.
type message struct {
	number uint64
	envelope.Envelope
}

// messages takes all that a client was sent.
func (r *rig) messages(c *servertest.Client) (all []message) {
	r.t.Helper()
	for _, f := range c.Received() {
		if f.Type != codec.Deliver {
			continue
		}
		number, body, err := codec.ParseMessage(f.Payload)
		if err != nil {
			r.t.Fatal(err)
		}
		e, err := envelope.Parse(body)
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, message{number, e})
	}
	return all
}

// got takes the one message that a client was sent.
func (r *rig) got(c *servertest.Client, text string) message {
	r.t.Helper()
	all := r.messages(c)
	if len(all) != 1 || string(all[0].Content) != text {
		r.t.Fatalf("got %v, want %q alone", all, text)
	}
	return all[0]
}

// joins has a client be in a room.
func (r *rig) joins(c *servertest.Client, room string) {
	r.t.Helper()
	body, err := envelope.Append(nil, &envelope.Envelope{Kind: envelope.Join, Room: []byte(room)})
	if err != nil {
		r.t.Fatal(err)
	}
	c.Send(body)
	c.Received()
}
