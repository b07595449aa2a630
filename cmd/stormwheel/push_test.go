package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// asker changes a request before it is sent.
type asker func(r *http.Request)

func (n *node) push(body string, change ...asker) (status int, text string) {
	n.t.Helper()
	r, err := http.NewRequestWithContext(n.t.Context(), "POST", "http://"+n.admin+"/push", strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for _, c := range change {
		c(r)
	}
	resp, err := (&http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		n.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(b))
}

func (n *node) wantPush(body string, status int, want string) (got pushAnswer) {
	n.t.Helper()
	code, text := n.push(body)
	if code != status || !strings.Contains(text, want) {
		n.t.Errorf("%s: status %d: %s; want %d, %s", body, code, text, status, want)
	}
	_ = json.Unmarshal([]byte(text), &got) // what is no JSON was compared
	return got
}

func TestPushToAUser(t *testing.T) {
	n := serve(t, "--messages", "memory")
	n.wantPush(`{"user":"bob","from":"shop","content":"sent","key":"order-1"}`, 200, `{"result":"held"}`)
	n.wantPush(`{"user":"bob","from":"shop","content":"sent","key":"order-1"}`, 200, `{"result":"held"}`)
	if st := n.messageStats(); st.Queued != 1 {
		t.Errorf("after two of one key: %+v", st)
	}
	bob := newPerson(t, "bob/phone", false, n.listen).online()
	bob.hears("shop: sent")
	n.wantPush(`{"user":"bob","content_base64":"aGk=","life":"1h"}`, 200, `{"result":"delivered","device":"bob/phone"}`)
	bob.hears("node: hi")
	n.wantPush(`{"user":"bob","content":"1","key":"k"}`, 200, "delivered")
	n.wantPush(`{"user":"bob","content":"1","key":"k"}`, 200, "delivered")
	n.wantPush(`{"user":"bob","content":"2","key":"k2"}`, 200, "delivered")
	bob.hears("node: 1")
	bob.hears("node: 2") // and "1" once only
	n.wantPush(`{"user":"bob","content":"late","at":"2999-01-01T00:00:00Z"}`, 409, `"result":"refused","code":`)
	n.wantPush(`{"user":"bob","content":"`+strings.Repeat("x", 61<<10)+`"}`, 413, `"result":"refused"`)
}

func TestPushToARoom(t *testing.T) {
	n := serve(t, "--messages", "memory")
	one := n.wantPush(`{"room":"tea","content":"1","key":"k"}`, 200, `"result":"taken"`)
	again := n.wantPush(`{"room":"tea","content":"1","key":"k"}`, 200, `"result":"taken"`)
	two := n.wantPush(`{"room":"tea","content":"2","key":"k2"}`, 200, `"result":"taken"`)
	if one != again || one.Offset != 1 || two.Offset != 2 || one.Epoch != two.Epoch || len(one.Epoch) != 16 {
		t.Errorf("%+v, %+v, %+v", one, again, two)
	}
}

func TestPushThatIsWrong(t *testing.T) {
	n := serve(t, "--messages", "memory")
	for body, want := range map[string]string{
		``:                                      "push: EOF",
		`[]`:                                    "push: json",
		`{} `:                                   "one of user and room",
		`{"user":"a","room":"b","content":"x"}`: "one of user and room",
		`{"user":"a"}`:                          "one of content and content_base64",
		`{"user":"a","content":"x","content_base64":"eA=="}`:                  "one of content and content_base64",
		`{"user":"a","content":"x"}{}`:                                        "nothing behind it",
		`{"user":"a","content":"x","text":"y"}`:                               `unknown field "text"`,
		`{"user":"a","content":"x","life":"1d"}`:                              `life "1d"`,
		`{"user":"a","content":"x","life":"-1s"}`:                             `life "-1s"`,
		`{"room":"a","content":"x","life":"1s"}`:                              "at and life are of messages to users",
		`{"user":"a\n","content":"x"}`:                                        "no name of a user or room",
		`{"user":"a","content":"x","key":"` + strings.Repeat("k", 257) + `"}`: "longer than 256 bytes",
	} {
		n.wantPush(body, 400, want)
	}
	n.wantPush(`{"user":"a","content":"`+strings.Repeat("x", maxPush)+`"}`, 413, "too large")
	good := `{"user":"a","content":"x"}`
	for want, change := range map[int]asker{
		403: func(r *http.Request) { r.Host = "evil.example:80" },
		415: func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
		404: func(r *http.Request) { r.Method = "GET" },
	} {
		if status, text := n.push(good, change); status != want {
			t.Errorf("status %d: %s, want %d", status, text, want)
		}
	}
	if status, _ := serve(t).push(good); status != 404 {
		t.Errorf("a node without messages: status %d", status)
	}
	if st := n.messageStats(); st.Queued != 0 {
		t.Errorf("what was wrong was stored: %+v", st)
	}
}

func TestPushWithAToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens")
	old, fresh := strings.Repeat("o", 32), strings.Repeat("f", 32)
	if err := os.WriteFile(file, []byte(old+"\n"+fresh+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	n := serve(t, "--messages", "memory", "--admin-token-file", file)
	bearer := func(text string) asker { return func(r *http.Request) { r.Header.Set("Authorization", text) } }
	elsewhere := func(r *http.Request) { r.Host = "edge.example" }
	good := `{"user":"bob","content":"x"}`
	for text, want := range map[string]int{"Bearer " + old: 200, "Bearer " + fresh: 200, "Bearer " + old[1:]: 401, "Bearer ": 401, old: 401, "": 401} {
		if status, answer := n.push(good, bearer(text), elsewhere); status != want {
			t.Errorf("%q: status %d: %s, want %d", text, status, answer, want)
		}
	}
	newPerson(t, "bob", false, n.listen).hears("node: x")
	if err := os.WriteFile(file, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := stormwheel(t, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--messages", "memory", "--admin-token-file", file)
	if code, _ := p.exit(); code != exitError || strings.Count(p.stderr.String(), "\n") != 1 || !strings.Contains(p.stderr.String(), file) {
		t.Errorf("a token that is too short: exit %d, %s", code, p.stderr.String())
	}
}
