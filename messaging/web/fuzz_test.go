package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/server"
)

// Whatever is asked, and by whatever body, the answer is JSON of the shape that openapi.yaml has, and no fault.
func FuzzRequests(f *testing.F) {
	for _, path := range []string{"/v1/users/bob/messages?wait=1s", "/v1/users/a%2Fb", "/v1/rooms?after=cmE&limit=2&prefix=x", "/v1/sessions/x/kick", "//v1/", "/v1/%2e%2e/x", "/v1/users/%ff"} {
		f.Add("POST", path, `{"content":"x","at":"2026-01-02T15:04:05Z","life":"1s"}`, "key")
		f.Add("GET", path, `{"code":3900,"alternates":["a:1"]}`, `"key"`)
	}
	hub, err := messaging.New(messaging.Config{}) // not started: what is well-formed is told to try later
	if err != nil {
		f.Fatal(err)
	}
	srv, err := server.New(server.Config{Listen: "127.0.0.1:0", Handler: hub.Handler()})
	if err != nil {
		f.Fatal(err)
	}
	h := New(hub, srv, Config{})
	f.Fuzz(func(t *testing.T, method, path, body, key string) {
		to, err := url.ParseRequestURI(path)
		if err != nil || (method != "GET" && method != "POST") {
			return // net/http answers
		}
		request := func() *http.Request {
			r := newRequest(method, "/", body)
			r.URL = to
			r.Header.Set("Idempotency-Key", key)
			return r
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request())
		a := answer{t, method + " " + path, w.Code, w.Header(), w.Body.String()}
		if conforms(t, request(), body, a); a.status == statuses[codeInternal] || a.status >= 300 && !strings.HasPrefix(a.body, `{"error":{"code":"`) {
			t.Errorf("%s: status %d: %s", a.what, a.status, a.body)
		}
	})
}
