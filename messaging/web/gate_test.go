package web

import (
	"net/http"
	"strings"
	"testing"
)

func TestMethodsAndPaths(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		r.ask("GET", "/v1/nothing", "").fails(codeNotFound, "openapi.yaml")
		r.ask("GET", "/v1/sessions/", "").fails(codeNoSession)
		r.ask("GET", "/v1/users/bob/", "").fails(codeNotFound)
		r.ask("GET", "/v1/users/a/b", "").fails(codeNotFound)
		r.ask("GET", "//v1/users", "").fails(codeNotFound)
		for _, tc := range []struct{ method, path, allowed string }{
			{"GET", "/v1/users/bob/messages", "POST"}, {"DELETE", "/v1/sessions", "GET"}, {"PUT", "/v1/users/bob/kick", "POST"}, {"OPTIONS", "/v1/rooms", "GET"},
		} {
			a := r.ask(tc.method, tc.path, "")
			a.fails(codeMethod, tc.method)
			if got := a.header.Get("Allow"); got != tc.allowed {
				t.Errorf("%s %s: Allow %q, want %q", tc.method, tc.path, got, tc.allowed)
			}
		}
		r.ask("HEAD", "/v1/users", "").is(200)
		r.ask("POST", bobs, `{"content":"x"}`, header("Content-Encoding", "gzip")).fails(codeMediaType, "gzip")
		for kind, taken := range map[string]bool{"": false, "text/plain": false, "application/x-www-form-urlencoded": false, "application/json; charset=latin1": false,
			"application/json; charset=UTF-8": true} {
			a := r.ask("POST", "/v1/users/x/kick", `{}`, func(r *http.Request) { r.Header.Set("Content-Type", kind) })
			if taken {
				a.is(200)
			} else {
				a.fails(codeMediaType)
			}
		}
	})
}

func TestWithoutATokenOnlyThisMachineMayAsk(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		from := func(host, remote string) asker { return func(r *http.Request) { r.Host, r.RemoteAddr = host, remote } }
		for _, ok := range []asker{from("localhost:7001", "127.0.0.1:1"), from("[::1]:7001", "[::1]:1"), from("127.0.0.1", "[::ffff:127.0.0.1]:1"), from("localhost", "@")} {
			r.ask("GET", "/v1/users", "", ok).is(200)
		}
		for _, no := range []asker{from("evil.example:7001", "127.0.0.1:1"), from("localhost", "10.0.0.1:1"), from("10.0.0.2", "10.0.0.1:1"), from("localhost", "")} {
			r.ask("GET", "/v1/users", "", no).fails(codeForbidden)
		}
		for _, name := range []string{"X-Forwarded-For", "Forwarded"} { // a proxy on this machine asks for somebody
			r.ask("GET", "/v1/users", "", from("localhost", "127.0.0.1:1"), header(name, "for=10.0.0.1")).fails(codeForbidden)
		}
	})
}

func TestATokenAdmitsFromAnywhere(t *testing.T) {
	old, fresh := strings.Repeat("o", 32), strings.Repeat("f", 32)
	inRig(t, Config{Tokens: [][]byte{[]byte(old), []byte(fresh)}}, func(r *rig) {
		elsewhere := func(r *http.Request) { r.Host, r.RemoteAddr = "edge.example", "10.0.0.1:1" }
		for _, text := range []string{"Bearer " + old, "Bearer " + fresh, "bearer " + old} {
			r.ask("GET", "/v1/users", "", elsewhere, header("Authorization", text)).is(200)
		}
		for _, text := range []string{"Bearer " + old[1:], "Bearer " + old + " ", "Bearer ", "Basic " + old, old, ""} {
			a := r.ask("GET", "/v1/users", "", header("Authorization", text)) // from this machine, too
			a.fails(codeUnauthorized)
			if a.header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%v", a.header)
			}
		}
		r.ask("GET", "/v1/nothing", "").fails(codeUnauthorized) // strangers learn nothing
	})
}

// As of a variable that was not set: it is no way in.
func TestAnEmptyTokenAdmitsNobody(t *testing.T) {
	inRig(t, Config{Tokens: [][]byte{{}}}, func(r *rig) {
		for _, text := range []string{"Bearer ", "Bearer", ""} {
			r.ask("GET", "/v1/users", "", header("Authorization", text)).fails(codeUnauthorized)
		}
	})
}
