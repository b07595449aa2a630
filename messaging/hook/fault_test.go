package hook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/internal/freeport"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/server"
)

// answers is a back end that says always the same.
func answers(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// newBackEnd asks a back end over real sockets.
func newBackEnd(t *testing.T, h http.Handler, cfg Config) *BackEnd {
	t.Helper()
	srv := httptest.NewServer(h)
	cfg.URL = srv.URL
	if cfg.Timeout == 0 {
		cfg.Timeout = MaxTimeout
	}
	b, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		srv.CloseClientConnections()
		_ = b.Close(context.Background())
		srv.Close()
	})
	return b
}

func (b *BackEnd) login(t *testing.T) (server.AuthGrant, error) {
	return b.Authenticate(t.Context(), server.AuthRequest{ClientID: "alice", Token: []byte("t")})
}

// isLater tells whether an error has the client told to come again: any but those that end it.
func isLater(err error) bool {
	var inUse *server.InUseError
	return err != nil && !errors.Is(err, server.ErrUnauthorized) && !errors.Is(err, server.ErrTokenExpired) && !errors.As(err, &inUse)
}

func TestNothingButTheAnswerLetsAClientInOrRefusesItForGood(t *testing.T) {
	huge := `{"result":"allow","data":"` + strings.Repeat("x", maxAnswer) + `"}`
	for _, c := range []struct {
		name string
		h    http.HandlerFunc
		want string
	}{
		{"error", answers(500, `{"result":"allow"}`), "status 500"},
		{"forbidden by a proxy", answers(403, `{"result":"deny"}`), "status 403"},
		{"unavailable", answers(503, ""), "status 503"},
		{"garbage", answers(200, "<html>It works!</html>"), "no JSON object"},
		{"nothing", answers(200, ""), "no JSON object"},
		{"no content", answers(204, ""), "no JSON object"},
		{"too much", answers(200, huge), "more than 64 KiB"},
		{"too much data", answers(200, `{"result":"allow","data":"`+strings.Repeat("x", maxData)+`"}`), "data has 4098 bytes"},
		{"large headers", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Large", strings.Repeat("x", 2*maxAnswerHeader))
			answers(200, `{"result":"allow"}`)(w, r)
		}, "cannot be asked"},
		{"cut off", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			answers(200, `{"result":"allow"}`)(w, r)
		}, "cannot be asked: unexpected EOF"},
		{"panics", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "cannot be asked"},
	} {
		b := newBackEnd(t, c.h, Config{})
		_, err := b.login(t)
		if !isLater(err) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: login: %v, want %q and that it is told to come again", c.name, err, c.want)
		}
		err = b.Policy(t.Context(), alice)
		var refusal *messaging.Refusal
		if c.name != "too much data" && (err == nil || errors.As(err, &refusal)) {
			t.Errorf("%s: policy: %v, want no verdict", c.name, err)
		}
		if st := b.Stats(); st.Login.Failed != 1 || st.Login.InFlight != 0 {
			t.Errorf("%s: %+v, want a call that failed", c.name, st.Login)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var there atomic.Int64
	b := newBackEnd(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/there" {
			there.Add(1)
			answers(200, `{"result":"allow"}`)(w, r)
			return
		}
		http.Redirect(w, r, "/there", http.StatusTemporaryRedirect)
	}), Config{})
	if _, err := b.login(t); !isLater(err) || !strings.Contains(err.Error(), "redirects are not followed") || there.Load() != 0 {
		t.Errorf("%v; %d calls came there", err, there.Load())
	}
}

func TestABackEndThatIsDownHasClientsComeAgain(t *testing.T) {
	addrs, err := freeport.Loopback(1) // where nobody listens
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(Config{URL: "http://" + addrs[0] + "/?key=sesame"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.login(t); !isLater(err) || strings.Contains(err.Error(), "sesame") {
		t.Errorf("%v, want that it comes again, and no URL", err)
	}
}

// One takes connections and says nothing, one answers when it is too late: neither holds a call.
func TestASilentBackEndAndALateAnswer(t *testing.T) {
	over := make(chan struct{})
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	late := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-over
		_, _ = io.WriteString(w, `{"result":"allow"}`)
	}))
	defer late.Close()
	defer close(over)
	for _, url := range []string{"http://" + silent.Addr().String(), late.URL} {
		b, err := New(Config{URL: url, Timeout: 50 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.login(t); !isLater(err) || !strings.Contains(err.Error(), "has not answered within 50ms") {
			t.Errorf("login: %v", err)
		}
		if err := b.Policy(t.Context(), alice); err == nil || !strings.Contains(err.Error(), "has not answered within 50ms") {
			t.Errorf("policy: %v", err)
		}
	}
}

// A kept connection that the back end has closed costs no login: the call is made again.
func TestABackEndThatRestartsBetweenTwoLogins(t *testing.T) {
	addrs, err := freeport.Loopback(1)
	if err != nil {
		t.Fatal(err)
	}
	start := func() *httptest.Server {
		l, err := net.Listen("tcp", addrs[0])
		if err != nil {
			t.Fatal(err)
		}
		s := &httptest.Server{Listener: l, Config: &http.Server{Handler: answers(200, `{"result":"allow"}`)}}
		s.Start()
		return s
	}
	first := start()
	b, err := New(Config{URL: first.URL, Timeout: MaxTimeout})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.login(t); err != nil {
		t.Fatal(err)
	}
	first.Close()
	if _, err := b.login(t); !isLater(err) {
		t.Errorf("while it is down: %v", err)
	}
	defer start().Close()
	if _, err := b.login(t); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}

// One that closes each connection when the next call is on it is asked again over another.
func TestACallOnAConnectionThatIsBeingClosedIsMadeAgain(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				head := make([]byte, 4096)
				_, _ = c.Read(head)
				body := `{"result":"allow"}`
				_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
				_, _ = c.Read(head) // the next call, which nobody answers
			}()
		}
	}()
	b, err := New(Config{URL: "http://" + l.Addr().String(), Timeout: MaxTimeout})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := b.login(t); err != nil {
			t.Fatal(err)
		}
	}
}

// However many logins there are, the back end has so many calls at a time, and policies have their own.
func TestLoginsAreBoundedAndDoNotHoldUpPolicies(t *testing.T) {
	const calls, logins = 4, 200
	var mu sync.Mutex
	now, most := 0, 0
	count := func(by int) int {
		mu.Lock()
		defer mu.Unlock()
		now += by
		most = max(most, now)
		return now
	}
	full, over := make(chan struct{}), make(chan struct{})
	var once sync.Once
	b := newBackEnd(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), `"type":"login"`) {
			defer count(-1)
			if count(1) == calls {
				once.Do(func() { close(full) })
			}
			<-over
		}
		_, _ = io.WriteString(w, `{"result":"allow"}`)
	}), Config{Calls: calls})
	var all sync.WaitGroup
	for range logins {
		all.Go(func() { _, _ = b.login(t) }) // those who wait for too long come again
	}
	<-full
	if err := b.Policy(t.Context(), alice); err != nil {
		t.Errorf("a policy while all logins hang: %v", err)
	}
	close(over)
	all.Wait()
	if most != calls {
		t.Errorf("%d calls at a time, want %d", most, calls)
	}
	if st := b.Stats().Login; st.InFlight != 0 || st.Failed+st.Allowed != logins {
		t.Errorf("%+v", st)
	}
}

func TestABackEndWhoseCertificateNobodyVouchesForIsNotAsked(t *testing.T) {
	var asked atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answers(200, `{"result":"allow"}`)(w, r)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	b, err := New(Config{URL: srv.URL, Timeout: MaxTimeout})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.login(t); !isLater(err) || !strings.Contains(err.Error(), "certificate") || asked.Load() != 0 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
}

// Whatever a back end says, only "allow" lets a client in, and nothing of it panics.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{`{"result":"allow"}`, `{"result":"deny","code":2001}`, `{"RESULT":"allow","data":[1]}`, `{"result":"allow","expires_in":1e300}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var a loginAnswer
		if decode(text, &a) == nil && a.check() == nil {
			g := a.grant(time.Now())
			if a.Result != allow || !g.Expires.IsZero() && !g.Expires.After(time.Now().Add(-time.Minute)) {
				t.Errorf("%q lets in: %+v", text, g)
			}
		}
		var w wishAnswer
		if decode(text, &w) == nil && w.check() == nil && w.Result != allow {
			t.Errorf("%q allows", text)
		}
	})
}

func TestALargeAnswerIsNotLogged(t *testing.T) {
	large := strings.Repeat("x", 50<<10)
	for _, text := range []string{`{"result":"` + large + `"}`, `{"` + large + `":1}`} {
		b := newBackEnd(t, answers(200, text), Config{})
		if _, err := b.login(t); !isLater(err) || len(err.Error()) > 300 {
			t.Errorf("login: an error of %d bytes", len(err.Error()))
		}
		if err := b.Policy(t.Context(), alice); err == nil || len(err.Error()) > 300 {
			t.Errorf("policy: an error of %d bytes", len(err.Error()))
		}
	}
}

// A token whose time is over is everyday; one that is refused is not.
func TestExpiredLoginsAreCountedApart(t *testing.T) {
	b := newBackEnd(t, answers(200, `{"result":"expired"}`), Config{})
	if _, err := b.login(t); !errors.Is(err, server.ErrTokenExpired) {
		t.Fatal(err)
	}
	if st := b.Stats().Login; st.Expired != 1 || st.Denied != 0 {
		t.Errorf("%+v", st)
	}
}
