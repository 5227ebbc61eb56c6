package main

import "os"

func Example() {
	os.Args = os.Args[:1]
	main()
	// Output:
	// start a front beside each server, then this with the fronts' addresses:
	//
	//     rover front --listen 127.0.0.1:4040 --backend 127.0.0.1:5432 --mode lazy
	//     DATABASE_URL='postgres://user:password@pool/db?sslmode=disable' go run ./postgres 127.0.0.1:4040
}
