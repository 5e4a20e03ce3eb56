CREATE TABLE "revisions" (
	"tenant_id" text NOT NULL,
	"deployment_id" text NOT NULL,
	"key" text NOT NULL,
	"digest" text NOT NULL,
	"number" bigint NOT NULL,
	CONSTRAINT "revisions_deployment_id_key_pk" PRIMARY KEY("deployment_id","key")
);
--> statement-breakpoint
ALTER TABLE "revisions" ADD CONSTRAINT "revisions_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "revisions" ADD CONSTRAINT "revisions_deployment_id_deployments_id_fk" FOREIGN KEY ("deployment_id") REFERENCES "public"."deployments"("id") ON DELETE cascade ON UPDATE no action;