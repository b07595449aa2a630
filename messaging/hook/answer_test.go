package hook

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

func TestCallsAreSignedWithAllSecretsAndWithTheNewAfterAChange(t *testing.T) {
	type call struct {
		head http.Header
		body []byte
	}
	got := make(chan call, 10)
	b := newBackEnd(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- call{r.Header, body}
		_, _ = io.WriteString(w, `{"result":"allow"}`)
	}), Config{Secrets: [][]byte{secretOf("a")}})
	b.Start("edge-1")
	check := func(secret []byte, want error) http.Header {
		t.Helper()
		if _, err := b.login(t); err != nil {
			t.Fatal(err)
		}
		c := <-got
		if err := Verify(c.head, c.body, time.Now(), secret); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
		if !strings.Contains(string(c.body), `"node":"edge-1"`) || c.head.Get("Content-Type") != "application/json" {
			t.Errorf("call %s with %v", c.body, c.head)
		}
		return c.head
	}
	first := check(secretOf("a"), nil)
	if err := b.SetSecrets(secretOf("a"), secretOf("b")); err != nil {
		t.Fatal(err)
	}
	check(secretOf("a"), nil)
	check(secretOf("b"), nil)
	if err := b.SetSecrets(secretOf("b")); err != nil {
		t.Fatal(err)
	}
	check(secretOf("a"), ErrSignature)
	if last := check(secretOf("b"), nil); last.Get(headerID) == first.Get(headerID) || len(last["Idempotency-Key"]) > 0 {
		t.Errorf("headers %v after %v", last, first)
	}
}

func TestAnswersAreKeptAsLongAsTheBackEndAllows(t *testing.T) {
	var asked atomic.Int64
	said := new(atomic.Value)
	b := newBackEnd(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answers(200, said.Load().(string))(w, r)
	}), Config{})
	wants := func(q messaging.Request, calls int64, refused bool) {
		t.Helper()
		err := b.Policy(t.Context(), q)
		var refusal *messaging.Refusal
		if errors.As(err, &refusal) != refused || asked.Swap(0) != calls {
			t.Errorf("%+v: %v; want %d calls and refused %v", q, err, calls, refused)
		}
	}
	q := messaging.Request{Client: "a/1", User: "a", Data: Data("1"), Kind: envelope.ToUser, ToUser: "b", Content: []byte("x")}
	said.Store(`{"result":"allow"}`)
	wants(q, 1, false)
	wants(q, 1, false) // it was not allowed to keep it
	said.Store(`{"result":"deny","max_age":60}`)
	wants(q, 1, true)
	said.Store(`{"result":"allow"}`)
	q.Content = []byte("y")
	wants(q, 0, true)
	for _, change := range []func(*messaging.Request){
		func(q *messaging.Request) { q.ToUser = "c" }, func(q *messaging.Request) { q.Client = "a/2" },
		func(q *messaging.Request) { q.User = "c" }, func(q *messaging.Request) { q.Data = Data("2") },
		func(q *messaging.Request) { q.Kind, q.ToUser, q.Room = envelope.ToRoom, "", "b" },
		func(q *messaging.Request) { q.Kind = envelope.Watch },
		func(q *messaging.Request) { q.Kind, q.Ask = envelope.Ask, envelope.UserDevices },
	} {
		other := q
		change(&other)
		wants(other, 1, false)
	}
	if st := b.Stats().Policy; st.Kept != 1 || st.Denied != 1 || st.Allowed != 9 {
		t.Errorf("%+v", st)
	}
	var c cache
	c.init()
	now := time.Now()
	for i := range maxKept + 100 {
		c.keep(key{byte(i), byte(i >> 8), byte(i >> 16)}, nil, now.Add(time.Second))
	}
	if n := c.size(); n != maxKept {
		t.Errorf("%d answers are kept, want %d", n, maxKept)
	}
	if _, known := c.find(key{0xff}, now.Add(time.Second)); known {
		t.Error("an answer is kept beyond its time")
	}
}

func TestWhatIsNoVerdictIsNotKept(t *testing.T) {
	b := newBackEnd(t, answers(200, `{"result":"later","max_age":60}`), Config{})
	for range 2 {
		if err := b.Policy(t.Context(), alice); !errors.Is(err, errLater) {
			t.Error(err)
		}
	}
	if st := b.Stats().Policy; st.Later != 2 || st.Kept != 0 {
		t.Errorf("%+v", st)
	}
}
