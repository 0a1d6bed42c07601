import okhttp3.CertificatePinner

val certificatePinner: CertificatePinner = CertificatePinner.Builder()
  .add(
    "api.example.com",
    "sha256/6ixFzkuGT2Bk1Uk9Gd6HZ9kGmoEvhbYWFR/hoAvJHIo=",
    "sha256/zcE9expko3XIQEED1maHtmG1D1Td8ZiHLK46SZDG6mo=",
    "sha256/Aj2oBAWAAV8z05/7dyuo95FlpOK8Sz5QFq5P55r12UI=",
  )
  .build()
