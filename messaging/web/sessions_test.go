package web

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server/servertest"
)

func TestSessionsInPagesWhileOthersComeAndGo(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		if a := r.ask("GET", "/v1/sessions", "").is(200); a.body != `{"sessions":[]}`+"\n" {
			t.Errorf("of nobody: %s", a.body)
		}
		var all []*servertest.Client
		for i := range 5 {
			all = append(all, r.node.Join(fmt.Sprintf("u%d/phone", i)))
		}
		var seen []string
		after := ""
		for page := range 4 {
			var got sessionPage
			r.ask("GET", "/v1/sessions?limit=2&after="+after, "").is(200).read(&got)
			for _, s := range got.Sessions {
				seen = append(seen, s.Client)
				if s.User+"/phone" != s.Client || s.Transport != "tcp" || s.Since.IsZero() || s.LastRead.IsZero() {
					t.Errorf("%+v", s)
				}
			}
			if page == 0 {
				all[1].Bye() // where the page has ended
				all[3].Bye()
			}
			if after = got.After; after == "" {
				break
			}
		}
		if !slices.Equal(seen, []string{"u0/phone", "u1/phone", "u2/phone", "u4/phone"}) {
			t.Errorf("%v", seen)
		}
	})
}

func TestCursorsThatAreGarbage(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		r.node.Join("a")
		other := cursor(sessionList, "00000000000000ff-0000000000000001") // of an earlier run
		for _, path := range []string{"/v1/sessions", "/v1/users", "/v1/rooms"} {
			for _, text := range []string{"x", "!!", "%00", cursor('x', "name"), cursor(sessionList, "nothing"), other, cursor(userList, "")} {
				r.ask("GET", path+"?after="+text, "").fails(codeBadCursor, "after")
			}
			for _, text := range []string{"0", "-1", "1001", "many", "1.5"} {
				r.ask("GET", path+"?limit="+text, "").fails(codeBadRequest, "limit")
			}
		}
	})
}

func (r *rig) sessionOf(client string) string {
	r.t.Helper()
	var got sessionPage
	r.ask("GET", "/v1/sessions", "").is(200).read(&got)
	for _, s := range got.Sessions {
		if s.Client == client {
			return "/v1/sessions/" + s.Session
		}
	}
	r.t.Fatalf("no session of %s", client)
	return ""
}

func TestOneSession(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		bob := r.node.Join("bob/phone")
		path := r.sessionOf("bob/phone")
		r.ask("GET", path, "").is(200, `"client":"bob/phone"`, `"moving":false`)
		r.ask("POST", path+"/move", `{"to":["127.0.0.1:9"]}`).is(200, `{"sessions":1}`)
		if to := bob.ExpectGoAway(codec.CodeDraining); string(to.Alternates) != "127.0.0.1:9" {
			t.Errorf("to %q", to.Alternates)
		}
		r.ask("GET", path, "").is(200, `"moving":true`)
		r.ask("POST", path+"/kick", `{"code":3950,"reason":"closed","delay":"1m"}`).is(200, `{"sessions":1}`)
		if to := bob.ExpectGoAway(3950); string(to.Reason) != "closed" || to.Delay != time.Minute {
			t.Errorf("%+v", to)
		}
		r.node.Advance(time.Second)
		for _, path := range []string{path, "/v1/sessions/x", "/v1/sessions/00000000000000ff-0000000000000001", "/v1/sessions/"} {
			r.ask("GET", path, "").fails(codeNoSession)
			r.ask("POST", path+"/kick", `{}`).fails(codeNoSession)
			r.ask("POST", path+"/move", `{"to":["a:1"]}`).fails(codeNoSession)
		}
	})
}

func TestKickAndMoveThatMakeNoSense(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		bob := r.node.Join("bob/phone")
		for _, of := range []string{"/v1/users/bob", "/v1/users/nobody", r.sessionOf("bob/phone")} {
			r.ask("POST", of+"/move", `{}`).fails(codeNowhere)
			r.ask("POST", of+"/move", `{"to":["here"]}`).fails(codeBadRequest)
			r.ask("POST", of+"/move", `{"to":"a:1"}`).fails(codeBadRequest, `"to"`)
			r.ask("POST", of+"/kick", ``).fails(codeBadRequest, "JSON object")
			for _, body := range []string{`{"code":3201}`, `{"code":70000}`, `{"code":"x"}`, `{"delay":"soon"}`, `{"window":"-1s"}`, `{"reason":"a\nb"}`, `{"why":"x"}`,
				`{"reason":"` + strings.Repeat("x", 1000) + `"}`} {
				r.ask("POST", of+"/kick", body).fails(codeBadRequest)
			}
		}
		bob.ExpectNothing()
	})
}

func TestKickAndMoveOfAUser(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		phone, pad, carol := r.node.Join("bob/phone"), r.node.Join("bob/pad"), r.node.Join("carol")
		r.ask("POST", "/v1/users/bob/move", `{"to":["127.0.0.1:9"]}`).is(200, `{"sessions":2}`)
		phone.ExpectGoAway(codec.CodeDraining)
		pad.ExpectGoAway(codec.CodeDraining)
		r.ask("POST", "/v1/users/bob/kick", `{}`).is(200, `{"sessions":2}`)
		phone.ExpectGoAway(codec.CodeKicked)
		pad.ExpectGoAway(codec.CodeKicked)
		r.node.Advance(time.Second)
		r.ask("POST", "/v1/users/bob/kick", `{}`).is(200, `{"sessions":0}`)
		r.ask("POST", "/v1/users/nobody/kick", `{}`).is(200, `{"sessions":0}`)
		r.ask("POST", "/v1/users/%0A/kick", `{}`).fails(codeBadName)
		carol.ExpectNothing()
	})
}

// Who wrote one member wrong is told which.
func TestWhatAClientCannotBeToldIsNamed(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		r.node.Join("bob")
		for body, want := range map[string]string{
			`{"delay":"-1s"}`: "no delay of -1s", `{"window":"9999h"}`: "no window of 9999h", `{"reason":"a\nb"}`: "reason has the control character",
			`{"reason":"` + strings.Repeat("x", 1000) + `"}`: "reason has 1000 bytes, at most", `{"alternates":["nowhere"]}`: `alternate "nowhere" is not host:port`,
		} {
			r.ask("POST", "/v1/users/bob/kick", body).fails(codeBadRequest, want)
		}
		r.ask("POST", "/v1/users/bob/move", `{"to":["nowhere"]}`).fails(codeBadRequest, `"nowhere" is not host:port`)
	})
}
