package server

import "errors"

// Errors of sending to a session.
var (
	ErrOutside = errors.New("server: session is used outside its own callback") // Session methods: Server's do it from anywhere
	ErrCode    = errors.New("server: no code for applications")                 // Close of Session and Server
	ErrNoSuch  = errors.New("server: session is unknown or of an old run")      // Server methods
)
