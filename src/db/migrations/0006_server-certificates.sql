CREATE TABLE "server_certificates" (
	"machine_id" text PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"certificate" text NOT NULL,
	"key" "bytea" NOT NULL,
	"hosts" jsonb NOT NULL,
	"renew_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "server_certificates" ADD CONSTRAINT "server_certificates_machine_id_machines_id_fk" FOREIGN KEY ("machine_id") REFERENCES "public"."machines"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "server_certificates" ADD CONSTRAINT "server_certificates_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;