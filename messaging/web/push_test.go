package web

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

const bobs = "/v1/users/bob/messages"

func TestPushToAUserTellsTheOutcome(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		r.ask("POST", bobs, `{"from":"shop","content":"sent"}`).is(200, `"result":"held"`, `"sender":"node"`)
		bob := r.node.Join("bob/phone")
		m := r.got(bob, "sent")
		if string(m.User) != "shop" {
			t.Errorf("from %q", m.User)
		}
		bob.Ack(m.number)
		waits := r.begin("POST", bobs, `{"content_base64":"aGk=","life":"1h"}`)
		bob.Ack(r.got(bob, "hi").number)
		waits().is(200, `{"result":"delivered","device":"bob/phone",`)

		refused := r.begin("POST", bobs, `{"content":"no"}`)
		bob.Nack(r.got(bob, "no").number, 1100)
		refused().fails(codeRefused, "code 1100")

		mute := r.begin("POST", bobs, `{"content":"mute"}`)
		r.got(bob, "mute")
		r.node.Advance(4 * time.Second)
		mute().is(200, `"result":"held"`)
	})
}

func TestPushSaysWhyItIsRefused(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		r.ask("POST", bobs, `{"content":"late","at":"2999-01-01T00:00:00Z"}`).fails(codeRefused, "later than the node keeps it")
		r.ask("POST", bobs, `{"content":"`+strings.Repeat("x", 61<<10)+`"}`).fails(codeTooLarge, "too large")
		for range 3 { // what the queue takes
			r.ask("POST", bobs, `{"content":"x","at":"`+time.Now().Add(time.Hour).Format(time.RFC3339)+`"}`).is(200, "held")
		}
		r.ask("POST", bobs, `{"content":"x"}`).fails(codeTryLater, "queue is full")
		if a := r.ask("POST", bobs, `{"content":"x"}`); !strings.Contains(a.body, `"refusal":{"code":80,`) {
			t.Errorf("%s", a.body)
		}
		r.node.Join("carol")
		mute := r.begin("POST", "/v1/users/carol/messages", `{"content":"x","life":"1s"}`)
		r.node.Advance(4 * time.Second)
		mute().fails(codeExpired)
	})
}

func TestWhoDoesNotWaitIsToldThatItIsPending(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		bob := r.node.Join("bob/phone")
		r.ask("POST", bobs+"?wait=0s", `{"content":"now"}`, key("k")).is(202, `"result":"pending"`)
		r.ask("POST", bobs, `{"content":"now"}`, key("k")).fails(codeKeyInWork)
		waits := r.begin("POST", bobs+"?wait=2s", `{"content":"soon"}`)
		time.Sleep(2 * time.Second)
		waits().is(202, "pending")
		all := r.messages(bob)
		if len(all) != 2 {
			t.Fatalf("%v", all)
		}
		bob.Ack(all[0].number)
		a := r.ask("POST", bobs, `{"content":"now"}`, key("k")).is(200, "delivered", "bob/phone")
		if a.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("%v", a.header)
		}
	})
}

func TestPushToARoom(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		bob := r.node.Join("bob")
		r.joins(bob, "tea/green")
		const path = "/v1/rooms/tea%2Fgreen/messages"
		one := r.ask("POST", path, `{"from":"alice","content":"1"}`, key("k")).is(200, `"result":"taken"`, `"offset":1`)
		again := r.ask("POST", path, `{"from":"alice","content":"1"}`, key("k"))
		r.ask("POST", path, `{"content":"2"}`).is(200, `"offset":2`)
		if one.body != again.body || again.header.Get("Idempotency-Replayed") != "true" || one.header.Get("Idempotency-Replayed") != "" {
			t.Errorf("%s, again %s %v", one.body, again.body, again.header)
		}
		synctest.Wait()
		all := r.messages(bob)
		if len(all) != 2 || string(all[0].User) != "alice" || all[0].Kind != envelope.Publication {
			t.Errorf("%v", all)
		}
		r.ask("POST", path, `{"content":"x","life":"1s"}`).fails(codeBadRequest, "life")
	})
}

func TestBroadcastReachesAll(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		bob, carol := r.node.Join("bob"), r.node.Join("carol")
		for range 2 {
			r.ask("POST", "/v1/broadcasts", `{"from":"admin","content":"all"}`, key("k")).is(202, `"result":"sent"`, `"sessions":2`)
		}
		synctest.Wait()
		r.got(bob, "all")
		r.got(carol, "all")
		r.ask("POST", "/v1/broadcasts", `{"from":"a\n","content":"all"}`).fails(codeBadName)
		r.ask("POST", "/v1/broadcasts", `{"content":"`+strings.Repeat("x", 61<<10)+`"}`).fails(codeTooLarge)
	})
}

// One key to one addressee is one message, whoever it is that comes again.
func TestAKeyMakesOneMessageOfTwo(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		first := r.ask("POST", bobs, `{"content":"1"}`, key(`"order-1"`)).is(200, "held")
		again := r.ask("POST", bobs, `{"content":"1"}`+"\n", key(`order-1`)).is(200, "held")
		if first.body != again.body {
			t.Errorf("%s, and then %s", first.body, again.body)
		}
		r.ask("POST", bobs, `{"content":"2"}`, key("order-1")).fails(codeKeyReused)
		r.ask("POST", "/v1/users/carol/messages", `{"content":"2"}`, key("order-1")).is(200, "held")
		r.ask("POST", "/v1/rooms/bob/messages", `{"content":"2"}`, key("order-1")).is(200, "taken")
		for _, user := range []string{"bob", "carol"} {
			if st, err := r.hub.User(t.Context(), user); err != nil || st.Waiting.Records != 1 {
				t.Errorf("%s: %+v, %v", user, st, err)
			}
		}
		// What was refused for now is tried anew, and what was refused for good is not.
		for _, text := range []string{"a", "b"} {
			r.ask("POST", bobs, `{"content":"`+text+`"}`).is(200)
		}
		r.ask("POST", bobs, `{"content":"3"}`, key("full")).fails(codeTryLater)
		bob := r.node.Join("bob")
		for _, m := range r.messages(bob) {
			bob.Ack(m.number)
		}
		r.node.Advance(time.Second)
		waits := r.begin("POST", bobs, `{"content":"3"}`, key("full"))
		bob.Nack(r.got(bob, "3").number, 1100)
		waits().fails(codeRefused)
		r.ask("POST", bobs, `{"content":"3"}`, key("full")).fails(codeRefused)
		if more := r.messages(bob); len(more) != 0 {
			t.Errorf("what was refused for good came again: %v", more)
		}
	})
}

// The id of a message follows from its key, so that receivers know it from before a restart.
func TestAKeyOutlivesTheNodeAtItsReceivers(t *testing.T) {
	var ids []string
	for range 2 {
		inRig(t, Config{}, func(r *rig) {
			var got struct{ Message messageID }
			r.ask("POST", bobs, `{"content":"1"}`, key("order-1")).is(200).read(&got)
			bob := r.node.Join("bob")
			if m := r.got(bob, "1"); string(m.ID.Sender) != got.Message.Sender || m.ID.Number != got.Message.Number {
				t.Errorf("%+v, told %+v", m.ID, got.Message)
			}
			ids = append(ids, got.Message.Incarnation)
		})
	}
	if ids[0] != ids[1] {
		t.Errorf("ids of two runs: %v", ids)
	}
}

func TestRequestsThatAreWrong(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		for body, want := range map[string]string{
			``:               "one JSON object",
			`[]`:             "one JSON object",
			`null`:           "one JSON object",
			`{"content":"x"`: "does not fit",
			`{}`:             "One of content and content_base64",
			`{"content":"x","content_base64":"eA=="}`: "One of content and content_base64",
			`{"content":"x"}{}`:                       "nothing behind it",
			`{"content":"x","text":"y"}`:              `unknown field "text"; its members are from, content, content_base64, at, life.`,
			`{"content":7}`:                           `member "content" cannot be a number`,
			`{"content_base64":"?"}`:                  "base64",
			`{"content":"x","life":"1d"}`:             `not "1d"`,
			`{"content":"x","life":"-1s"}`:            `not "-1s"`,
			`{"content":"x","life":"9999h"}`:          "nothing longer than 168h",
			`{"content":"x","at":"tomorrow"}`:         "does not fit",
			"{\"content\":\"\xff\"}":                  "not UTF-8",
		} {
			r.ask("POST", bobs, body).fails(codeBadRequest, want)
		}
		const good = `{"content":"x"}`
		r.ask("POST", bobs, `{"from":"a\n","content":"x"}`).fails(codeBadName)
		r.ask("POST", bobs, `{"content":"`+strings.Repeat("x", maxBody)+`"}`).fails(codeTooLarge, "longer than")
		for _, wait := range []string{"-1s", "11s", "soon", "5"} {
			r.ask("POST", bobs+"?wait="+wait, good).fails(codeBadRequest, "wait")
		}
		r.ask("POST", bobs+"?wait=1s&wait=2s", good).fails(codeBadRequest, "twice")
		r.ask("POST", bobs+"?await=1s", good).fails(codeBadRequest, "await")
		r.ask("POST", bobs+"?a=%zz", good).fails(codeBadRequest, "query")
		for _, k := range []string{"", `""`, strings.Repeat("k", maxKey+1), "é", "a\tb"} {
			r.ask("POST", bobs, good, key(k)).fails(codeBadRequest, "Idempotency-Key")
		}
		r.ask("POST", bobs, good, key("a"), key("b")).fails(codeBadRequest, "twice")
		if st := r.hub.Stats(); st.Queued != 0 {
			t.Errorf("what was wrong was stored: %+v", st)
		}
	})
}

func TestNamesOfAnyText(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		for path, name := range map[string]string{"100%25": "100%", "%E2%98%95%20tea": "☕ tea", "%2E%2E": "..", "a+b": "a+b", "%3Fx%23": "?x#", "%22": `"`} {
			r.ask("POST", "/v1/users/"+path+"/messages", `{"content":"x"}`).is(200, "held")
			if st, err := r.hub.User(t.Context(), name); err != nil || st.Waiting.Records != 1 {
				t.Errorf("%s: %+v, %v", path, st, err)
			}
			var got struct{ User string }
			r.ask("GET", "/v1/users/"+path, "").is(200).read(&got)
			if got.User != name {
				t.Errorf("%s is %q", path, got.User)
			}
		}
		for _, path := range []string{"", "%0A", "%FF", strings.Repeat("x", 129)} {
			r.ask("POST", "/v1/users/"+path+"/messages", `{"content":"x"}`).fails(codeBadName)
			r.ask("GET", "/v1/users/"+path, "").fails(codeBadName)
			r.ask("POST", "/v1/rooms/"+path+"/messages", `{"content":"x"}`).fails(codeBadName)
		}
	})
}

// Nobody can ever be the user bob/phone, so that what is sent there would wait for nothing.
func TestADeviceIsNoUser(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		for _, ask := range [][2]string{{"GET", ""}, {"POST", "/messages"}, {"POST", "/kick"}, {"POST", "/move"}} {
			r.ask(ask[0], "/v1/users/bob%2Fphone"+ask[1], `{}`).fails(codeBadName, `"bob/phone" is a device; a user's name has no slash`)
		}
		r.ask("POST", "/v1/users/%2F/messages", `{"content":"x"}`).fails(codeBadName, "has a slash")
		for _, path := range []string{bobs, "/v1/rooms/tea/messages", "/v1/broadcasts"} {
			r.ask("POST", path, `{"from":"bob/phone","content":"x"}`).fails(codeBadName, "The member from", "is a device")
			r.ask("POST", path, `{"from":"","content":"x"}`).fails(codeBadName, "from")
		}
		r.ask("POST", "/v1/rooms/bob%2Fphone/messages", `{"content":"x"}`).is(200, "taken")
		if st := r.hub.Stats(); st.Queued != 0 {
			t.Errorf("something was stored: %+v", st)
		}
	})
}

func TestRefusalsOfApplicationsKeepTheirWords(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		bob := r.node.Join("bob")
		waits := r.begin("POST", bobs, `{"content":"x"}`)
		bob.Nack(r.got(bob, "x").number, codec.NackBusy) // another time: it goes to the queue
		r.node.Advance(4 * time.Second)
		waits().is(200, "held")
	})
}
