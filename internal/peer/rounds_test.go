package peer

import (
	"slices"
	"testing"
)

// One who is followed no more changes nothing of who was looked at in a round, and who was not.
func TestARoundOfFollowedUsersGoesOnWhereItWas(t *testing.T) {
	m := New(Config{Node: "a"}, Now{})
	for _, user := range []string{"a", "b", "c", "d", "e"} {
		m.Follow(Now{}, user, &Out{})
	}
	names := func() (all []string) {
		for at, f := range m.followList {
			if f.at != at {
				t.Errorf("%s is at %d, not at %d", f.user, at, f.at)
			}
			all = append(all, f.user)
		}
		return all
	}
	m.homing.at, m.homing.user = 0, 3
	m.Unfollow(Now{}, "a", &Out{}) // c, which was looked at, comes to its place, and e to that of c
	if got := names(); !slices.Equal(got, []string{"c", "b", "e", "d"}) || m.homing.user != 2 {
		t.Errorf("%v are followed, and %d were looked at", got, m.homing.user)
	}
	m.Unfollow(Now{}, "e", &Out{})
	if got := names(); !slices.Equal(got, []string{"c", "b", "d"}) || m.homing.user != 2 {
		t.Errorf("%v are followed, and %d were looked at", got, m.homing.user)
	}
	m.homing.user = 3 // all were
	m.Unfollow(Now{}, "c", &Out{})
	if got := names(); !slices.Equal(got, []string{"d", "b"}) || m.homing.user != 2 {
		t.Errorf("%v are followed, and %d were looked at", got, m.homing.user)
	}
}

// Who is on the lists of a directory is there once, and as long as he should be.
func TestDirectoryListsWhoIsContestedAndFollowed(t *testing.T) {
	var d directory
	one, other := &node{name: "one"}, &node{name: "other"}
	session := func(p *node, stamp uint64) *entry {
		return &entry{owner: p, id: "id", user: "user", roles: roleID | roleUser, claim: Claim{Stamp: stamp}}
	}
	d.add(session(one, 1))
	d.add(session(one, 1))
	if len(d.contested) != 0 {
		t.Error("one session is contested")
	}
	d.add(session(other, 2))
	d.add(session(other, 3))
	if d.drop(other); len(d.contested) != 0 {
		t.Error("one is contested that is alone again")
	}
	for _, user := range []string{"a", "b", "c", "d"} {
		d.follow(one, user, true)
		d.follow(other, user, true)
	}
	d.next = 3
	d.follow(one, "b", false)
	if len(d.followed) != 4 {
		t.Errorf("%v are followed", d.followed)
	}
	d.follow(other, "b", false) // c comes to its place, which was passed, and d to that of c, which was not
	if d.next != 2 || !slices.Equal(d.followed, []string{"a", "c", "d"}) {
		t.Errorf("%v are followed, and %d were looked at", d.followed, d.next)
	}
	for at, user := range d.followed {
		if d.users[user].at != at {
			t.Errorf("%s is at %d of %v", user, d.users[user].at, d.followed)
		}
	}
	d.next = 3 // all were looked at
	d.follow(one, "a", false)
	d.follow(other, "a", false)
	if d.next != 2 || !slices.Equal(d.followed, []string{"d", "c"}) || d.users["d"].at != 0 || d.users["c"].at != 1 {
		t.Errorf("%v are followed, and %d were looked at", d.followed, d.next)
	}
	d.drop(one)
	d.drop(other)
	if len(d.followed) != 0 || len(d.users) != 0 {
		t.Errorf("%v are followed", d.followed)
	}
}
