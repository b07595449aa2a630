package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/token"
	"github.com/stormwheel/stormwheel/server"
)

type tokenCmd struct {
	SecretFile string        `required:"" type:"path" placeholder:"FILE" help:"The file that serve has as --auth-secret-file; the token is made from its first line."`
	ID         string        `required:"" name:"id" placeholder:"NAME" help:"The client that the token admits."`
	TTL        time.Duration `name:"ttl" default:"24h" help:"How long it is good for."`
}

func (tokenCmd) Help() string {
	return "Example: stormwheel token --secret-file secret --id alice --ttl 1h > alice.token"
}

func (c *tokenCmd) Validate() error {
	if c.TTL <= 0 {
		return fmt.Errorf("--ttl must be positive, not %v", c.TTL)
	}
	if c.ID == "" {
		return errors.New("--id must name the client that the token admits")
	}
	return checkID(c.ID)
}

// checkID refuses a name that no client could come in with.
func checkID(id string) error {
	if _, err := codec.AppendHello(nil, &codec.HelloMessage{ClientID: []byte(id)}); err != nil {
		return fmt.Errorf("--id %q: %w", id, err)
	}
	return nil
}

// Run prints a token.
func (c *tokenCmd) Run() error {
	secrets, err := token.ReadSecrets(c.SecretFile)
	if err != nil {
		return err
	}
	minted, err := server.MintToken(secrets[0], c.ID, time.Now().Add(c.TTL))
	if err != nil {
		return fmt.Errorf("%s: %w", c.SecretFile, err)
	}
	_, err = fmt.Println(minted)
	return err
}

// tokenFrom returns a token source that reads the file anew before every HELLO, so that
// whoever renews tokens only has to write the file.
func tokenFrom(file string) func(context.Context) ([]byte, error) {
	if file == "" {
		return nil
	}
	return func(context.Context) ([]byte, error) {
		token, err := os.ReadFile(file)
		return bytes.TrimSpace(token), err
	}
}
