package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// asker changes a request before it is sent.
type asker func(r *http.Request)

func withKey(key string) asker {
	return func(r *http.Request) { r.Header.Set("Idempotency-Key", key) }
}

// call asks a node as a back end does.
func (n *node) call(method, path, body string, change ...asker) (status int, text string) {
	n.t.Helper()
	status, text, err := n.try(method, path, body, change...)
	if err != nil {
		n.t.Fatal(err)
	}
	return status, text
}

// try is call on any goroutine.
func (n *node) try(method, path, body string, change ...asker) (status int, text string, err error) {
	r, err := http.NewRequestWithContext(n.t.Context(), method, "http://"+n.admin+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Content-Type", "application/json")
	for _, c := range change {
		c(r)
	}
	resp, err := (&http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, strings.TrimSpace(string(b)), err
}

func (n *node) wantCall(method, path, body string, status int, want string, change ...asker) {
	n.t.Helper()
	if code, text := n.call(method, path, body, change...); code != status || !strings.Contains(text, want) {
		n.t.Errorf("%s %s %s: status %d: %s; want %d, %s", method, path, body, code, text, status, want)
	}
}

func TestABackEndPushesSeesAndKicks(t *testing.T) {
	n := serve(t, "--messages", "memory")
	n.wantCall("POST", "/v1/users/bob/messages", `{"from":"shop","content":"sent"}`, 200, `"result":"held"`, withKey("order-1"))
	n.wantCall("POST", "/v1/users/bob/messages", `{"from":"shop","content":"sent"}`, 200, `"result":"held"`, withKey("order-1"))
	n.wantCall("GET", "/v1/users/bob", "", 200, `"messages":1`)
	bob := newPerson(t, "bob/phone", false, n.listen).online()
	bob.hears("shop: sent")
	n.wantCall("POST", "/v1/users/bob/messages", `{"content":"hi"}`, 200, `{"result":"delivered","device":"bob/phone"`)
	bob.hears("node: hi")
	n.wantCall("POST", "/v1/broadcasts", `{"content":"all"}`, 202, `"sessions":1`)
	bob.hears("node: all")
	n.wantCall("GET", "/v1/sessions", "", 200, `"client":"bob/phone"`)
	n.wantCall("POST", "/v1/users/bob/kick", `{"code":3900}`, 200, `{"sessions":1}`)
	waitFor(t, "no session of bob's", func() bool {
		_, text := n.call("GET", "/v1/users/bob", "")
		return strings.Contains(text, `"online":false`)
	})
	n.wantCall("POST", "/v1//messages", `{}`, 404, `"code":"not_found"`) // and no redirect
	n.wantCall("GET", "/livez", "", 200, "ok")
	n.wantCall("POST", "/push", `{}`, 404, "")
	serve(t).wantCall("POST", "/v1/users/bob/messages", `{"content":"x"}`, 404, "404 page") // without --messages
}

func TestBackEndsShowAToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens")
	old, fresh := strings.Repeat("o", 32), strings.Repeat("f", 32)
	if err := os.WriteFile(file, []byte(old+"\n"+fresh+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	n := serve(t, "--messages", "memory", "--admin-token-file", file)
	for text, want := range map[string]int{"Bearer " + old: 200, "Bearer " + fresh: 200, "Bearer " + old[1:]: 401, "": 401} {
		change := func(r *http.Request) { r.Host = "edge.example"; r.Header.Set("Authorization", text) }
		if status, answer := n.call("POST", "/v1/users/bob/messages", `{"content":"x"}`, change); status != want {
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

// A push that waits when the node ends is told what became of it.
func TestAPushThatWaitsWhenItsNodeEnds(t *testing.T) {
	n := serve(t, "--messages", "bolt:"+filepath.Join(t.TempDir(), "messages.db"), "--drain-grace", "0s", "--drain-window", "1s")
	mute := newPerson(t, "bob", true, n.listen).online()
	answers := make(chan string, 1)
	go func() {
		_, text, err := n.try("POST", "/v1/users/bob/messages", `{"content":"x"}`)
		if err != nil {
			text = err.Error()
		}
		answers <- text
	}()
	mute.hears("node: x")
	n.signal(syscall.SIGTERM)
	var got struct{ Result string }
	if text := <-answers; json.Unmarshal([]byte(text), &got) != nil || got.Result != "durable" {
		t.Errorf("%s", text)
	}
}

// The lines of README are run as they stand, but for the node's addresses.
func TestReadmeTalksToANodeByCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("there is no curl")
	}
	_, section, found := strings.Cut(readDoc(t, "../../README.md"), "\n## From your own back end, with curl\n")
	section, _, _ = strings.Cut(section, "\n## ")
	if !found {
		t.Fatal("README.md has no such section")
	}
	n := serve(t, "--messages", "bolt:"+filepath.Join(t.TempDir(), "messages.db"))
	lines := strings.Split(section, "\n")
	ran := 0
	for i, line := range lines {
		if strings.Contains(line, "stormwheel connect") {
			newPerson(t, "bob/phone", false, n.listen).online().hears("shop: on its way")
		}
		command, isCurl := strings.CutPrefix(line, "$ curl ")
		if !isCurl {
			continue
		}
		ran++
		out, err := exec.CommandContext(t.Context(), "sh", "-c", curl+" "+strings.ReplaceAll(command, "127.0.0.1:7001", n.admin)).Output()
		want, _, _ := strings.Cut(lines[i+1], "...")
		if want, _, _ = strings.Cut(want, `"incarnation"`); err != nil || !strings.HasPrefix(string(out), want) {
			t.Errorf("%s\n%v, %s\nwant %s", line, err, out, want)
		}
	}
	if ran < 8 {
		t.Errorf("%d lines were run", ran)
	}
}
