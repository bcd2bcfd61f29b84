-- Two buyers, stock 1: the second waits for the first before it reads
create table product (id int primary key, stock int);
insert into product values (1, 1);

T1: begin;
T2: begin;
T1: select stock from product where id = 1 for update;
T2: select stock from product where id = 1 for update;
T1: update product set stock = 0 where id = 1;
T1: commit;
T2: rollback;
