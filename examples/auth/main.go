// Auth lets in whom an HTTP back end knows: it asks for the user of each token, off the event loops.
//
// The back end is asked GET URL?id=CLIENT, where CLIENT is the client's id, as alice%2Fphone, and the header
// Authorization is "Bearer " and its token. It must answer within 4 s (server.Config.AuthTimeout):
//
//   - status 200 and a JSON object {"user": "alice", "expires": "2026-01-02T15:04:05Z"}: the client is let in, as a device
//     of that user, until then. Without user it is what stands before the first "/" of the id; without expires there
//     is no end. The back end must see to it that the token is one for this id: the node does not know;
//   - status 401: it is not, and does not come again with that token;
//   - anything else, or nothing: it is told to come again later.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/stormwheel/stormwheel/server"
)

// backend asks an HTTP service who has a token.
type backend struct{ url string }

func (b backend) Authenticate(ctx context.Context, req server.AuthRequest) (server.AuthGrant, error) {
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url+"?id="+url.QueryEscape(req.ClientID), nil)
	if err != nil {
		return server.AuthGrant{}, err
	}
	ask.Header.Set("Authorization", "Bearer "+string(req.Token))
	answer, err := http.DefaultClient.Do(ask) // ctx ends it: Config.AuthTimeout
	if err != nil {
		return server.AuthGrant{}, err // the client is told to come again
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
		var who struct {
			User    string
			Expires time.Time
		}
		err := json.NewDecoder(answer.Body).Decode(&who)
		return server.AuthGrant{User: who.User, Expires: who.Expires}, err
	case http.StatusUnauthorized:
		return server.AuthGrant{}, server.ErrUnauthorized // the client gives up
	default:
		return server.AuthGrant{}, fmt.Errorf("back end: %s", answer.Status)
	}
}

func main() {
	listen := flag.String("listen", "127.0.0.1:7000", "address")
	who := flag.String("backend", "http://127.0.0.1:8080/who", "URL that tells who has a token")
	flag.Parse()
	srv, err := server.New(server.Config{Listen: *listen, Logger: slog.Default(), Auth: backend{*who}, Handler: server.Handler{
		Opened: func(s *server.Session) { s.Deliver([]byte("hello, " + s.User())) },
	}})
	if err == nil {
		err = srv.Run(context.Background())
	}
	log.Fatal(err)
}
