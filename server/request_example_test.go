package server_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/server"
)

// Asking a client whose session was kept by name, from any goroutine but a handler's.
func ExampleServer_Request() {
	ask := func(srv *server.Server, to server.Ref) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		reply, err := srv.Request(ctx, to, []byte("temperature?"))
		var refused *server.RefusedError
		switch {
		case errors.As(err, &refused):
			fmt.Println("it does not want to say:", refused.Reason)
		case errors.Is(err, server.ErrNoReply):
			fmt.Println("it has nothing to say")
		case err != nil:
			fmt.Println("no answer:", err)
		default:
			fmt.Printf("%s\n", reply)
		}
	}
	_ = ask
}
