-- Archives are compressed already: store their chunks as they are, without a try at compressing them again.
ALTER TABLE "blob_chunks" ALTER COLUMN "bytes" SET STORAGE EXTERNAL;
