import java.io.FileInputStream;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** A server that returns what it is sent, over JSSE. */
class Echo {
  static KeyStore read(String file) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (FileInputStream input = new FileInputStream(file)) {
      store.load(input, "secret".toCharArray());
    }
    return store;
  }

  static void serve(SSLSocket socket) {
    try (socket) {
      socket.startHandshake();
      try {
        System.out.println("client " + socket.getSession().getPeerPrincipal());
      } catch (javax.net.ssl.SSLPeerUnverifiedException none) {
        // It was not asked for one, or showed none.
      }
      socket.getInputStream().transferTo(socket.getOutputStream());
    } catch (Exception gone) {
      // The client has left.
    }
  }

  public static void main(String[] args) throws Exception {
    KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
    keys.init(read(args[0]), "secret".toCharArray());
    KeyStore roots = KeyStore.getInstance("PKCS12");
    roots.load(null, null);
    java.security.cert.CertificateFactory factory =
        java.security.cert.CertificateFactory.getInstance("X.509");
    try (FileInputStream input = new FileInputStream(args[1])) {
      roots.setCertificateEntry("root", factory.generateCertificate(input));
    }
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(roots);
    SSLContext context = SSLContext.getInstance("TLSv1.3");
    context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    SSLServerSocket server = (SSLServerSocket) context.getServerSocketFactory()
        .createServerSocket(0, 16, java.net.InetAddress.getLoopbackAddress());
    server.setEnabledProtocols(new String[] {"TLSv1.3"});
    server.setWantClientAuth(true);
    System.out.println("port 127.0.0.1:" + server.getLocalPort());
    for (;;) {
      SSLSocket socket = (SSLSocket) server.accept();
      new Thread(() -> serve(socket)).start();
    }
  }
}
