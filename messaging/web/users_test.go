package web

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAUserFromNobodyToQueue(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		const nobody = `{"user":"bob","online":false,"devices":[],"sessions":[],"rooms":[],"queue":{"messages":0,"delayed":0,"bytes":0},"unacknowledged":0}` + "\n"
		if a := r.ask("GET", "/v1/users/bob", "").is(200); a.body != nobody {
			t.Errorf("%s", a.body)
		}
		r.ask("POST", bobs, `{"content":"x"}`).is(200, "held")
		r.ask("POST", bobs, `{"content":"x","at":"`+time.Now().Add(time.Hour).Format(time.RFC3339)+`"}`).is(200, "held")
		var got user
		r.ask("GET", "/v1/users/bob", "").is(200).read(&got)
		if q := got.Queue; got.Online || q.Messages != 1 || q.Delayed != 1 || q.Bytes < 2*96 || q.Oldest == nil || q.Oldest.After(time.Now()) {
			t.Errorf("away: %+v", got)
		}
		bob := r.node.Join("bob/phone")
		r.node.Join("bob/pad")
		r.joins(bob, "tea")
		got = user{}
		r.ask("GET", "/v1/users/bob", "").is(200).read(&got)
		if !got.Online || len(got.Devices) != 2 || got.Devices[0] != (device{"bob/pad", true}) || len(got.Sessions) != 2 ||
			got.Sessions[0].Client != "bob/phone" || !slices.Equal(got.Rooms, []string{"tea"}) || got.Unacknowledged != 1 {
			t.Errorf("online: %+v", got)
		}
		bob.Bye()
		got = user{}
		r.ask("GET", "/v1/users/bob", "").is(200).read(&got)
		if !slices.Equal(got.Devices, []device{{"bob/pad", true}, {"bob/phone", false}}) || len(got.Sessions) != 1 {
			t.Errorf("with one that went: %+v", got)
		}
	})
}

func TestUsersRoomsAndMembersInPages(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		names := []string{"ann", "bea", "béa", "carl/x", "dora"}
		for _, name := range names {
			c := r.node.Join(name)
			r.joins(c, "tea")
			r.joins(c, "of "+name)
		}
		r.ask("POST", "/v1/rooms/a%2Fquiet/messages", `{"content":"x"}`).is(200)
		for path, want := range map[string]string{
			"/v1/users":                "ann bea béa carl dora",
			"/v1/users?prefix=b":       "bea béa",
			"/v1/users?prefix=b%C3%A9": "béa",
			"/v1/users?prefix=x":       "",
			"/v1/rooms/tea/members":    "ann bea béa carl dora",
			"/v1/rooms":                "a/quiet of ann of bea of béa of carl/x of dora tea",
			"/v1/rooms?prefix=of":      "of ann of bea of béa of carl/x of dora",
		} {
			all, count := r.walk(path)
			if got := strings.Join(all, " "); got != want || count != len(all) {
				t.Errorf("%s: %s, %d; want %s", path, got, count, want)
			}
		}
		r.ask("GET", "/v1/rooms/tea", "").is(200, `"members":5`, `"offset":0`)
		r.ask("GET", "/v1/rooms/a%2Fquiet", "").is(200, `{"room":"a/quiet","members":0,`, `"offset":1`)
		r.ask("GET", "/v1/rooms/a%2Fquiet/members", "").is(200, `{"members":[],"count":0}`)
		for _, path := range []string{"/v1/rooms/a", "/v1/rooms/a/members", "/v1/rooms/%0A"} {
			r.ask("GET", path, "").fails(codeNoRoom)
		}
	})
}

// walk reads all pages of a list of names.
func (r *rig) walk(path string) (all []string, count int) {
	r.t.Helper()
	mark := "?"
	if strings.Contains(path, "?") {
		mark = "&"
	}
	for after := ""; ; {
		var got struct {
			Users, Members []string
			Rooms          []room
			Count          int
			After          string
		}
		r.ask("GET", path+mark+"limit=2&after="+after, "").is(200).read(&got)
		all = append(append(all, got.Users...), got.Members...)
		for _, r := range got.Rooms {
			all = append(all, r.Room)
		}
		if after, count = got.After, got.Count; after == "" {
			return all, count
		}
	}
}
