package codec_test

import (
	"errors"
	"fmt"

	"github.com/stormwheel/stormwheel/codec"
)

// A reader takes whole frames out of what has come so far.
func Example() {
	const token, terms = 1, 0
	var buf []byte
	buf = codec.AppendPing(buf[:0], token, terms)
	buf = append(codec.AppendSend(buf, 7, []byte("hello")), codec.Magic) // and a frame begins

	for input := buf; ; {
		frame, size, err := codec.Decode(input, codec.MaxPayload)
		switch {
		case errors.Is(err, codec.ErrIncomplete):
			fmt.Printf("%d bytes are there, %d are needed\n", len(input), size)
			return
		case err != nil:
			fmt.Println("close with", codec.CodeFor(err))
			return
		}
		input = input[size:]
		fmt.Println(frame.Type, len(frame.Payload))
	}
	// Output:
	// PING 12
	// SEND 13
	// 1 bytes are there, 8 are needed
}
