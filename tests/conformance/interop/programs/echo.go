// A server that returns what it is sent, over Go's TLS.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"os"
)

func main() {
	pair, err := tls.LoadX509KeyPair(os.Args[1], os.Args[2])
	if err != nil {
		panic(err)
	}
	roots, err := os.ReadFile(os.Args[3])
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(roots)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{pair},
		MinVersion:   tls.VersionTLS13,
		ClientAuth:   tls.VerifyClientCertIfGiven,
		ClientCAs:    pool,
	})
	if err != nil {
		panic(err)
	}
	fmt.Println("port", listener.Addr().String())
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			secure := conn.(*tls.Conn)
			if secure.Handshake() != nil {
				return
			}
			io.Copy(conn, conn)
			for _, shown := range secure.ConnectionState().PeerCertificates {
				fmt.Println("client", shown.Subject.CommonName)
				break
			}
		}()
	}
}
