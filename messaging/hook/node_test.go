package hook

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

// judge is a back end without a socket that says always the same, until that is changed.
type judge struct {
	answer string // empty: it is not there
	asked  []string
}

func (j *judge) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	j.asked = append(j.asked, string(body))
	if j.answer == "" {
		return nil, errors.New("it is not there")
	}
	return &http.Response{StatusCode: 200, Header: make(http.Header), Body: io.NopCloser(strings.NewReader(j.answer))}, nil
}

// inNode runs a test with a node whose logins a judge decides.
func inNode(t *testing.T, test func(t *testing.T, n *servertest.Node, j *judge)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b, err := New(Config{URL: "http://localhost/"})
		if err != nil {
			t.Fatal(err)
		}
		j := new(judge)
		b.logins.http.Transport = j
		test(t, servertest.New(t, server.Config{Auth: b}), j)
	})
}

func hello(id, token string) codec.HelloMessage {
	return codec.HelloMessage{ClientID: []byte(id), Token: []byte(token), Incarnation: 7, Attempt: 1}
}

func TestOnlyAnAnswerLetsAClientIn(t *testing.T) {
	for _, c := range []struct {
		answer string
		want   codec.Code
	}{
		{"", codec.CodeBusy},
		{"<html>", codec.CodeBusy},
		{`{"result":"later"}`, codec.CodeBusy},
		{`{"result":"deny"}`, codec.CodeUnauthorized},
		{`{"result":"expired"}`, codec.CodeTokenExpired},
	} {
		inNode(t, func(t *testing.T, n *servertest.Node, j *judge) {
			j.answer = c.answer
			alice := n.Dial()
			alice.Hello(hello("alice", "t"))
			alice.ExpectGoAway(c.want)
		})
	}
}

func TestALoginGivesWhatTheBackEndSays(t *testing.T) {
	inNode(t, func(t *testing.T, n *servertest.Node, j *judge) {
		j.answer = `{"result":"allow","user":"ally","data":{"plan": 1},"expires_in":60,"limits":{"max_frame":9000}}`
		alice := n.Dial()
		alice.Hello(hello("alice", "t"))
		alice.ExpectWelcome()
		if left := time.Until(alice.Expires()); left != time.Minute || alice.Limits().MaxSend != 9000 {
			t.Errorf("it ends in %v, limits %+v", left, alice.Limits())
		}
		seen := make(chan *server.Session, 1)
		if err := n.Server.Do(alice.Ref(), func(s *server.Session) {
			if s.User() != "ally" || s.Data() != Data(`{"plan": 1}`) {
				t.Errorf("user %s, data %v", s.User(), s.Data())
			}
			seen <- s
		}); err != nil {
			t.Fatal(err)
		}
		n.Settle()
		<-seen
	})
}

// A renewal that the back end allows moves the end; whatever else it says, or does not, changes nothing.
func TestOnlyAnAnswerRenewsAGrant(t *testing.T) {
	inNode(t, func(t *testing.T, n *servertest.Node, j *judge) {
		j.answer = `{"result":"allow","expires_in":60}`
		alice := n.Dial()
		alice.Hello(hello("alice", "first"))
		alice.ExpectWelcome()
		n.Advance(10 * time.Second)
		alice.Renew([]byte("second"))
		alice.ExpectPong()
		alice.ExpectExpires(time.Minute)
		if last := j.asked[len(j.asked)-1]; !strings.Contains(last, `"token":"second"`) || !strings.Contains(last, `"renewal":true`) ||
			!strings.Contains(last, `"incarnation":"0000000000000007","attempt":1`) {
			t.Errorf("asked %s", last)
		}
		for _, answer := range []string{"", "<html>", `{"result":"later"}`, `{"result":"deny"}`} {
			j.answer = answer
			n.Advance(5 * time.Second)
			alice.Renew([]byte("third"))
			n.Settle()
		}
		if st := n.Stats(); st.Renewed != 1 || st.NotRenewed != 4 || st.Sessions != 1 {
			t.Errorf("renewed %d, not %d, sessions %d", st.Renewed, st.NotRenewed, st.Sessions)
		}
		n.Advance(time.Minute)
		if st := n.Stats(); st.Sessions != 0 {
			t.Error("its session outlives its grant")
		}
	})
}
