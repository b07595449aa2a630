package main

import (
	"fmt"
	"os"
	"strings"
)

// password is read from a file, so that it shows in no list of processes and no result.
func (c *BenchCmd) password() (string, error) {
	if c.PasswordFile == "" {
		return "", nil
	}
	b, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return "", usageError{fmt.Errorf("--password-file: %w", err)}
	}
	password := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if password == "" {
		return "", usageError{fmt.Errorf("--password-file: %s is empty", c.PasswordFile)}
	}
	return password, nil
}
